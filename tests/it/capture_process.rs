//! Capture programs that do not keep to the protocol: a script in place of `eyelid capture`.

use std::{fs, os::unix::fs::PermissionsExt};

use futures_util::future::join_all;
use tempfile::TempDir;

use crate::support::{Browser, Daemon, StandIn, eventually, exists, get, in_time, jpeg, no_process_left};

/// A script that takes the arguments of `eyelid capture`; `$file` is the rolling file.
struct Script(TempDir);

impl Script {
    fn doing(body: &str) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        fs::write(folder.path().join("a.jpg"), jpeg(0)).unwrap();
        let script = format!(
            "#!/bin/sh\n# A stand-in for a capture program.\n\
             for word; do case $word in --output=*) file=${{word#*=}} ;; esac; done\n\
             cd {} || exit\necho $$ >>log\n{body}\n",
            folder.path().display()
        );
        let path = folder.path().join("capture");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Self(folder)
    }

    fn starts(&self) -> Vec<i32> {
        let log = fs::read_to_string(self.0.path().join("log")).unwrap_or_default();
        log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')?.parse().ok()).collect()
    }

    async fn daemon(&self, keys: &str) -> Daemon {
        let config = StandIn::new().entry("tank", &format!("linger = \"0s\"\n{keys}"));
        Daemon::start_with(&config, &self.0.path().join("capture"), |_| ()).await
    }
}

const PICTURES: &str = "while :; do cp a.jpg new.part; mv new.part \"$file\"; sleep 0.02; done";

async fn end(script: &Script, daemon: Daemon) {
    for pid in script.starts() {
        no_process_left(pid).await;
        eventually("the end of the script", async || (!exists(pid)).then_some(())).await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_talks_garbage_is_watched_all_the_same() {
    for garbage in [
        "echo nonsense; echo '{}'; echo '{\"event\":\"streaming\"}'; echo '[1'; printf '\\000\\377\\n'",
        "yes '{\"event\":' | head -c 1000000",
        "head -c 5000000 /dev/urandom",
        "head -c 3000000 /dev/zero; head -c 3000000 /dev/urandom >&2",
    ] {
        // It ends with its input, as it should.
        let script = Script::doing(&format!("({garbage}; {PICTURES}) &\nexec cat >/dev/null"));
        let daemon = script.daemon("").await;
        let browser = Browser::open(daemon.address).await;
        browser.say("start-stream");
        for _ in 0..3 {
            browser.picture().await;
        }
        drop(browser);
        daemon.until("tank", "idle").await;
        end(&script, daemon).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_own_words_are_the_reason_when_it_fails() {
    let error = "{\"event\":\"error\",\"reason\":\"no camera found\",\"hint\":\"is the ribbon cable in?\"}";
    let cases = [
        (format!("echo '{error}'; exit 1"), "no camera found", Some("is the ribbon cable in?")),
        (format!("echo '{error}'; exec sleep 1000000"), "no picture within 1s of the start", None),
        ("echo 'libfoo.so not found' >&2; exit 127".to_owned(), "libfoo.so not found", None),
        ("kill -SEGV $$".to_owned(), "SIGSEGV", None),
        ("sleep 1000000 & exit 0".to_owned(), "the capture process ended by itself", None),
        ("exit 0".to_owned(), "the capture process ended by itself", None),
    ];
    join_all(cases.map(async |(does, reason, hint): (String, &str, Option<&str>)| {
        let script = Script::doing(&does);
        let daemon =
            script.daemon(if reason.starts_with("no picture") { "start_timeout = \"1s\"" } else { "" }).await;
        let reply = get(daemon.address, "/snapshot.jpg").await;
        assert_eq!(reply.status, 503, "{does}");
        let told = reply.json();
        assert!(told["error"].as_str().unwrap().contains(reason), "{does}: {told}");
        assert!(hint.is_none_or(|hint| told["hint"] == hint), "{told}");
        daemon.until("tank", "idle").await;
        end(&script, daemon).await;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ignores_the_end_of_its_input_and_sigterm_is_killed() {
    let script = Script::doing(&format!("trap '' TERM INT HUP PIPE\nsleep 1000000 &\n{PICTURES}"));
    let daemon = script.daemon("").await;
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    browser.picture().await;
    browser.say("stop-stream");
    daemon.until("tank", "idle").await;
    browser.forget("state");
    // Wanted again while the old one is still being ended: there are never two.
    browser.say("start-stream");
    daemon.until("tank", "starting").await;
    assert_eq!(script.starts().len(), 1);
    browser.told("live again", |state| state["state"] == "live").await;
    let starts = script.starts();
    assert_eq!(starts.len(), 2);
    no_process_left(starts[0]).await;
    in_time("the end of the daemon", daemon.stop()).await;
    for pid in starts {
        no_process_left(pid).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_started_is_told() {
    let script = Script::doing("exit");
    fs::set_permissions(script.0.path().join("capture"), fs::Permissions::from_mode(0o600)).unwrap();
    let daemon = script.daemon("").await;
    let reply = get(daemon.address, "/snapshot.jpg").await;
    assert_eq!(reply.status, 503);
    assert!(
        reply.text().contains("the capture process can't be started: Permission denied"),
        "{}",
        reply.text()
    );
    daemon.stop().await;
}
