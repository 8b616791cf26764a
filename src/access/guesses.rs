//! How often passwords may be guessed: from one address, and by everybody together.
//!
//! A guess counts as wrong from its beginning, so that many at once are no way around it; a right one is taken back.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use tokio::time::Instant;

/// So many wrong guesses of an address cost nothing.
const FREE: u32 = 5;

/// The pause after them, doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause of an address.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// What an address has done is forgotten after so long.
const MEMORY: Duration = Duration::from_secs(24 * 60 * 60);

/// Wrong guesses of everybody that are evaluated one after the other; with those that come back within an hour it is 50.
const BURST: u32 = 20;

/// After so long one more is evaluated: 30 an hour.
const EACH: Duration = Duration::from_secs(120);

/// The wrong guesses of late.
#[derive(Debug)]
pub(super) struct Guesses {
    of: HashMap<IpAddr, Wrong>,
    left: u32,
    /// When the last one of `left` came back.
    refilled: Instant,
}

#[derive(Debug)]
struct Wrong {
    count: u32,
    last: Instant,
}

impl Wrong {
    fn pause(&self) -> Duration {
        match self.count.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(more) => FIRST_PAUSE.saturating_mul(1 << more.min(16)).min(LONGEST_PAUSE),
        }
    }
}

impl Guesses {
    pub(super) fn new(now: Instant) -> Self {
        Self { of: HashMap::new(), left: BURST, refilled: now }
    }

    /// Counts a guess.
    ///
    /// # Errors
    /// How long to wait, when there were too many: it must not be evaluated then.
    pub(super) fn begin(&mut self, from: IpAddr, now: Instant) -> Result<(), Duration> {
        self.of.retain(|_, wrong| now.duration_since(wrong.last) < MEMORY);
        let back = now.duration_since(self.refilled).as_secs() / EACH.as_secs();
        let back = u32::try_from(back).unwrap_or(BURST).min(BURST);
        self.left = (self.left + back).min(BURST);
        self.refilled = if self.left == BURST { now } else { self.refilled + EACH * back };
        let of_address = self
            .of
            .get(&party(from))
            .map_or(Duration::ZERO, |wrong| wrong.pause().saturating_sub(now.duration_since(wrong.last)));
        let of_all = if self.left > 0 { Duration::ZERO } else { EACH - now.duration_since(self.refilled) };
        let pause = of_address.max(of_all);
        if !pause.is_zero() {
            return Err(pause);
        }
        self.left -= 1;
        let wrong = self.of.entry(party(from)).or_insert(Wrong { count: 0, last: now });
        (wrong.count, wrong.last) = (wrong.count.saturating_add(1), now);
        Ok(())
    }

    /// Takes a guess back: it was right.
    pub(super) fn right(&mut self, from: IpAddr) {
        self.of.remove(&party(from));
        self.left = (self.left + 1).min(BURST);
    }
}

/// Who counts as one. A household has a /64 of IPv6 addresses and more.
fn party(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from(number).into()
    }

    #[test]
    fn after_five_wrong_guesses_an_address_waits_longer_each_time() {
        let mut now = Instant::now();
        let mut guesses = Guesses::new(now);
        for _ in 0..FREE {
            assert_eq!(guesses.begin(address(1), now), Ok(()));
        }
        for pause in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            let pause = Duration::from_secs(pause);
            assert_eq!(guesses.begin(address(1), now), Err(pause));
            assert_eq!(
                guesses.begin(address(1), now + pause - Duration::from_nanos(1)).map_err(|_| ()),
                Err(())
            );
            now += pause;
            assert_eq!(guesses.begin(address(1), now), Ok(()));
        }
        assert_eq!(guesses.begin(address(2), now), Ok(()));
        now += MEMORY;
        assert_eq!(guesses.begin(address(1), now), Ok(()));
        assert_eq!(guesses.begin(address(1), now), Ok(()));
    }

    #[test]
    fn a_right_one_is_forgiven() {
        let now = Instant::now();
        let mut guesses = Guesses::new(now);
        for _ in 0..1000 {
            assert_eq!(guesses.begin(address(1), now), Ok(()));
            guesses.right(address(1));
        }
    }

    #[test]
    fn the_addresses_of_a_household_count_as_one() {
        let now = Instant::now();
        let mut guesses = Guesses::new(now);
        for number in 0..FREE {
            let address = format!("2001:db8:1:2::{number:x}").parse().unwrap();
            assert_eq!(guesses.begin(address, now), Ok(()));
        }
        assert!(guesses.begin("2001:db8:1:2:ffff::1".parse().unwrap(), now).is_err());
        assert_eq!(guesses.begin("2001:db8:1:3::1".parse().unwrap(), now), Ok(()));
        for _ in 0..FREE {
            assert_eq!(guesses.begin("::ffff:192.0.2.1".parse().unwrap(), now), Ok(()));
        }
        assert!(guesses.begin("192.0.2.1".parse().unwrap(), now).is_err());
    }

    proptest! {
        /// Whoever guesses, and when: no more than 50 within an hour, and nobody is told to wait in vain.
        #[test]
        fn in_no_hour_are_more_than_50_evaluated(
            guesses in proptest::collection::vec((0..2000_u32, 0..200_u64), 1..600)
        ) {
            let mut now = Instant::now();
            let mut state = Guesses::new(now);
            let mut evaluated = Vec::new();
            for (from, later) in guesses {
                now += Duration::from_secs(later) / 10;
                match state.begin(address(from), now) {
                    Ok(()) => evaluated.push(now),
                    Err(pause) => prop_assert!(!pause.is_zero() && pause <= LONGEST_PAUSE),
                }
            }
            for (first, at) in evaluated.iter().enumerate() {
                let within = evaluated[first..].iter().filter(|later| **later - *at < HOUR).count();
                prop_assert!(within <= 50, "{within}");
            }
        }
    }
}
