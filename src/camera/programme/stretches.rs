//! When recorded stretches are shown in place of live pictures: by chance, whoever watches or not.
//!
//! Each minute it is drawn whether a stretch begins in it, when, and how long it is. So a viewer who comes may come into
//! one, and none is ended or put off by leaving and coming back. What was to be drawn while nobody asked is drawn then.

use std::time::{Duration, Instant};

use crate::config::PrivacyConfig;

const MINUTE: Duration = Duration::from_secs(60);

/// Time is counted from so long before the first look: there may be stretches that had begun by then, and the system's
/// own clock may not have run for so long.
const BEFORE: Duration = Duration::from_secs(2 * 3600);

/// The stretches of one camera.
#[derive(Debug, Default)]
pub(super) struct Stretches {
    first_look: Option<Instant>,
    /// The next minute to draw for.
    minute: Option<Duration>,
    /// Those that are on and to come: from, to.
    drawn: Vec<(Duration, Duration)>,
}

impl Stretches {
    /// Whether a stretch is on. `draw` gives numbers from 0 to just below 1, each as likely.
    pub(super) fn is_on(&mut self, at: Instant, plan: &PrivacyConfig, draw: &mut dyn FnMut() -> f64) -> bool {
        if plan.interleave <= 0.0 {
            *self = Self::default();
            return false;
        }
        let now = at.saturating_duration_since(*self.first_look.get_or_insert(at)) + BEFORE;
        // None that began before that is still on.
        let earliest = now.saturating_sub(plan.longest + 2 * MINUTE);
        let mut minute = self.minute.unwrap_or_else(|| earliest + MINUTE.mul_f64(draw()));
        if minute < earliest {
            let left_out = (earliest - minute).as_secs() / MINUTE.as_secs();
            minute += MINUTE * u32::try_from(left_out).unwrap_or(0);
        }
        while minute <= now {
            if draw() < plan.interleave {
                let begin = minute + MINUTE.mul_f64(draw());
                let length = plan.shortest + (plan.longest - plan.shortest).mul_f64(draw());
                // One that is on is neither ended nor made longer.
                if self.drawn.last().is_none_or(|(_, end)| *end <= begin) {
                    self.drawn.push((begin, begin + length));
                }
            }
            minute += MINUTE;
        }
        self.minute = Some(minute);
        self.drawn.retain(|(_, end)| *end > now);
        self.drawn.iter().any(|(begin, _)| *begin <= now)
    }

    /// When that may be otherwise next.
    pub(super) fn next_change(&self, at: Instant) -> Option<Instant> {
        let first_look = self.first_look?;
        let now = at.saturating_duration_since(first_look) + BEFORE;
        let ends = self.drawn.iter().flat_map(|(begin, end)| [*begin, *end]);
        let next = ends.chain(self.minute).filter(|moment| *moment > now).min()?;
        Some(first_look + (next - BEFORE))
    }
}

/// A number from 0 to just below 1, from the system's generator; 0, at which a stretch begins, where that fails.
pub(in super::super) fn chance() -> f64 {
    let bits = getrandom::u64().unwrap_or(0) >> 11;
    bits as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(interleave: f64) -> PrivacyConfig {
        let (shortest, longest) = (Duration::from_secs(20), Duration::from_secs(50));
        PrivacyConfig { interleave, shortest, longest, ..PrivacyConfig::default() }
    }

    /// The stretches of so many minutes, as who looks each second sees them.
    fn seen(minutes: u64, plan: &PrivacyConfig) -> Vec<(u64, u64)> {
        let mut random = fastrand::Rng::with_seed(7);
        let mut draw = || random.f64();
        let (mut stretches, start) = (Stretches::default(), Instant::now());
        let mut seen: Vec<(u64, u64)> = Vec::new();
        for second in 0..minutes * 60 {
            if stretches.is_on(start + Duration::from_secs(second), plan, &mut draw) {
                match seen.last_mut() {
                    Some((_, end)) if *end == second => *end = second + 1,
                    _ => seen.push((second, second + 1)),
                }
            }
        }
        seen
    }

    #[test]
    fn stretches_are_as_frequent_and_as_long_as_was_asked_for() {
        let seen = seen(20_000, &plan(0.1));
        // Some 2,000 begin, less those that would have begun while another was on.
        assert!((1_800..2_100).contains(&seen.len()), "{}", seen.len());
        let lengths: Vec<_> = seen.iter().map(|(begin, end)| end - begin).collect();
        // Two may follow each other without a second between them.
        let usual: Vec<_> = lengths.iter().filter(|length| (20..=51).contains(*length)).collect();
        assert!(usual.len() * 100 >= lengths.len() * 98, "{lengths:?}");
        let mean = usual.iter().copied().sum::<u64>() as f64 / usual.len() as f64;
        assert!((33.0..37.0).contains(&mean), "35 s are the mean of 20 s and 50 s, and this {mean}");
        let short = usual.iter().filter(|length| ***length < 30).count() * 3;
        assert!(
            (usual.len() * 9 / 10..usual.len() * 11 / 10).contains(&short),
            "a third is shorter than 30 s"
        );
    }

    #[test]
    fn without_a_probability_there_is_no_stretch_and_nothing_is_drawn() {
        let mut stretches = Stretches::default();
        let mut draw = || panic!("nothing is to be drawn");
        assert!(!stretches.is_on(Instant::now(), &plan(0.0), &mut draw));
        assert_eq!(stretches.next_change(Instant::now()), None);
    }

    #[test]
    fn a_stretch_is_the_same_however_seldom_anybody_looks() {
        let whole = |seconds: u64| {
            let mut random = fastrand::Rng::with_seed(3);
            let mut draw = || random.f64();
            let (mut stretches, start) = (Stretches::default(), Instant::now());
            let looks = (0..=600).step_by(seconds as usize);
            looks
                .map(|second| {
                    (second, stretches.is_on(start + Duration::from_secs(second), &plan(0.9), &mut draw))
                })
                .collect::<std::collections::BTreeMap<_, _>>()
        };
        let (often, seldom) = (whole(1), whole(40));
        assert!(seldom.iter().all(|(second, on)| often[second] == *on));
        assert!(often.values().any(|on| *on) && often.values().any(|on| !*on));
    }

    #[test]
    fn after_a_day_without_a_look_no_more_is_drawn_than_counts() {
        let (mut drawn, mut stretches, start) = (0, Stretches::default(), Instant::now());
        let mut draw = || {
            drawn += 1;
            0.5
        };
        stretches.is_on(start, &plan(0.1), &mut draw);
        stretches.is_on(start + Duration::from_secs(86_400), &plan(0.1), &mut draw);
        assert!(drawn < 20, "{drawn}");
    }

    #[test]
    fn chance_is_spread_evenly() {
        let all: Vec<_> = (0..4000).map(|_| chance()).collect();
        assert!(all.iter().all(|one| (0.0..1.0).contains(one)));
        // Off by ten times the standard deviation of the mean: not once in the age of the universe.
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!((mean - 0.5).abs() < 10.0 * 0.2887 / 4000f64.sqrt(), "{mean}");
    }
}
