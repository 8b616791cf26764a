//! The limits, whoever waves whenever; and who sees what.

use proptest::prelude::*;

use super::*;

const MS: Duration = Duration::from_millis(1);

/// Tries of some viewers: who, and how long after the one before.
fn tries() -> impl Strategy<Value = Vec<(usize, Duration)>> {
    let pause = prop_oneof![Just(0_u64), 0..500_u64, 0..6_000_u64, Just(5_000), Just(10_000)];
    prop::collection::vec((0..8_usize, pause.prop_map(|ms| MS * ms as u32)), 1..80)
}

proptest! {
    #[test]
    fn no_viewer_and_no_camera_has_more_than_its_share(tries in tries()) {
        let (mut recent, mut own, mut now) = (Recent::default(), [None; 8], Instant::now());
        let mut through: Vec<(usize, Instant)> = Vec::new();
        for (who, pause) in tries {
            now += pause;
            let before = own[who];
            match recent.let_through(&mut own[who], now) {
                Ok(()) => through.push((who, now)),
                Err(_) => prop_assert_eq!(own[who], before, "what is refused does not count"),
            }
        }
        for (index, (who, at)) in through.iter().enumerate() {
            let later = &through[index + 1..];
            let next = later.iter().find(|(other, _)| other == who);
            prop_assert!(next.is_none_or(|(_, next)| *next - *at >= VIEWER_PAUSE));
            let within = later.iter().filter(|(_, next)| *next - *at < CAMERA_TIME).count();
            prop_assert!(within < CAMERA_MOST, "{} in less than 10 s", within + 1);
        }
    }

    #[test]
    fn who_waits_as_told_is_let_through_and_not_a_moment_sooner(tries in tries()) {
        let (mut recent, mut own, mut now) = (Recent::default(), [None; 8], Instant::now());
        for (who, pause) in tries {
            now += pause;
            let Err(refusal) = recent.let_through(&mut own[who], now) else { continue };
            let wait = MS * u32::try_from(refusal.retry_in_ms()).unwrap();
            prop_assert!(!wait.is_zero() && wait <= CAMERA_TIME);
            prop_assert!(recent.let_through(&mut own[who], now + wait - MS).is_err());
            now += wait;
            prop_assert_eq!(recent.let_through(&mut own[who], now), Ok(()));
        }
    }
}

#[test]
fn refusals_say_whose_waves_were_too_many() {
    let (mut recent, now) = (Recent::default(), Instant::now());
    let mut own = None;
    recent.let_through(&mut own, now).unwrap();
    let refusal = recent.let_through(&mut own, now + MS * 1500).unwrap_err();
    assert_eq!(refusal, TooSoon { wait: MS * 3500, others: false });
    assert_eq!(
        (refusal.to_string().as_str(), refusal.hint().as_str()),
        ("you have waved just now", "wait 4 s")
    );
    for _ in 1..CAMERA_MOST {
        recent.let_through(&mut None, now + MS * 2000).unwrap();
    }
    let refusal = recent.let_through(&mut None, now + MS * 2000).unwrap_err();
    assert_eq!(refusal, TooSoon { wait: MS * 8000, others: true });
    assert_eq!(refusal.to_string(), "many are waving just now");
    let exact = TooSoon { wait: Duration::from_nanos(1), others: false };
    assert_eq!((exact.retry_in_ms(), exact.hint().as_str()), (1, "wait 1 s"));
}

#[tokio::test]
async fn a_wave_is_told_to_all_with_who_waved_and_a_refused_one_to_nobody() {
    let waves = Waves::new();
    let (mut one, mut two) = (waves.seen(), waves.seen());
    let (ann, bob) = (waves.waver("ann"), waves.waver("bob"));
    let now = Instant::now();
    ann.wave_at(now).unwrap();
    ann.wave_at(now).unwrap_err();
    bob.wave_at(now).unwrap();
    for seen in [&mut one, &mut two] {
        assert_eq!(seen.next().await.unwrap().by(), "ann");
        let wave = seen.next().await.unwrap();
        assert_eq!((wave.by(), bob.is_from_me(&wave), ann.is_from_me(&wave)), ("bob", true, false));
    }
}

#[tokio::test]
async fn who_is_slow_misses_waves_and_who_forgets_begins_anew() {
    let waves = Waves::new();
    let (mut slow, mut other) = (waves.seen(), waves.seen());
    let say = |name: &str| drop(waves.shared.told.send(Wave { at: SystemTime::now(), by: name.into() }));
    for number in 0..100 {
        say(&number.to_string());
    }
    assert_eq!(slow.next().await.unwrap().by(), (100 - KEPT).to_string());
    other.forget();
    say("last");
    assert_eq!(other.next().await.unwrap().by(), "last");
}
