//! The program, as `/bin/sh` plays it.

use std::{fs, future::pending, path::Path};

use tokio::sync::oneshot;

use super::*;
use crate::camera::waves::Waves;

/// Far longer than anything here takes: it only ends tests that fail.
const DEADLINE: Duration = Duration::from_secs(30);

fn shell(script: &str, argument: &Path) -> Vec<String> {
    let argument = argument.to_str().unwrap();
    ["/bin/sh", "-c", script, argument].map(str::to_owned).to_vec()
}

fn camera() -> CameraName {
    "tank".parse().unwrap()
}

/// Looks until there is something to be seen.
async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let seen = async {
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, seen).await.unwrap_or_else(|_| panic!("not within {DEADLINE:?}: {what}"))
}

/// Whether a process has ended, reaped or not.
fn has_ended(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

/// The process ids in a file that was written whole.
async fn pids(file: &Path) -> Vec<String> {
    let text = eventually("the process ids", || fs::read_to_string(file).ok()).await;
    text.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_program_that_ends_well_is_no_trouble_and_one_that_fails_tells_its_last_words() {
    let nowhere = Path::new("x");
    assert_eq!(run(&camera(), &shell("test \"$EYELID_CAMERA\" = tank", nowhere), pending()).await, None);
    assert_eq!(
        run(&camera(), &shell("cat; echo first >&2; printf 'no\\tlamp' >&2; exit 3", nowhere), pending())
            .await,
        Some("/bin/sh ended with exit status: 3; its last words: nolamp".to_owned())
    );
    let missing = run(&camera(), &["/no/such/program".to_owned()], pending()).await.unwrap();
    assert!(missing.starts_with("/no/such/program can't be started: No such file"), "{missing}");
}

#[tokio::test]
async fn one_that_takes_too_long_is_ended_with_all_that_it_has_started_even_if_it_will_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let script = "trap '' TERM; (trap '' TERM; while :; do sleep 1000; done) & \
                  echo $$ $! >\"$0.new\"; mv \"$0.new\" \"$0\"; while :; do sleep 1000; done";
    let (enough, ended) = oneshot::channel();
    let words = shell(script, &file);
    let name = camera();
    let run = run(&name, &words, async {
        ended.await.unwrap();
        Enough::TooLong(Duration::from_secs(7))
    });
    let watch = async {
        let pids = pids(&file).await;
        assert!(pids.len() == 2 && !pids.iter().any(|pid| has_ended(pid)), "{pids:?}");
        enough.send(()).unwrap();
        pids
    };
    let (trouble, pids) = timeout(DEADLINE, async { tokio::join!(run, watch) }).await.unwrap();
    assert_eq!(trouble.as_deref(), Some("/bin/sh took longer than 7s and was ended"));
    eventually("the end of both", || pids.iter().all(|pid| has_ended(pid)).then_some(())).await;
}

#[tokio::test]
async fn what_it_leaves_behind_is_ended_when_it_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let script = "sleep 1000 & echo $! >\"$0.new\"; mv \"$0.new\" \"$0\"";
    assert_eq!(timeout(DEADLINE, run(&camera(), &shell(script, &file), pending())).await.unwrap(), None);
    let left = pids(&file).await;
    eventually("the end of what it left", || has_ended(&left[0]).then_some(())).await;
}

#[tokio::test]
async fn one_that_takes_longer_than_the_limit_makes_room_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (ran, greeted) = (folder.path().join("ran"), folder.path().join("greeted"));
    let config = |on_wave| CameraConfig { on_wave, ..CameraConfig::default() };
    let (configure, configured) =
        watch::channel(config(shell("echo $$ >>\"$0\"; while :; do sleep 1000; done", &ran)));
    let (waves, shutdown) = (&Waves::new(), CancellationToken::new());
    let limit = Duration::from_secs(1);
    let follow = tokio::spawn(follow(waves.seen(), configured, limit, shutdown.clone()));
    // On a slow machine each may be over before it has done anything, so that there is another wave.
    let wave_until = async |file: &Path| loop {
        let _ = waves.waver("").wave();
        let has_run = || fs::metadata(file).is_ok_and(|file| file.len() > 0).then_some(());
        if timeout(2 * limit, eventually("that it runs", has_run)).await.is_ok() {
            return;
        }
    };
    timeout(DEADLINE, wave_until(&ran)).await.unwrap();
    configure.send_replace(config(shell("echo >>\"$0\"", &greeted)));
    let pids = pids(&ran).await;
    eventually("the end of the first", || pids.iter().all(|pid| has_ended(pid)).then_some(())).await;
    timeout(DEADLINE, wave_until(&greeted)).await.unwrap();
    shutdown.cancel();
    timeout(DEADLINE, follow).await.unwrap().unwrap();
}
