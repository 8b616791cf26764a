//! Whether the machine knows what time it is: the ledger, quiet hours and certificates go by it.

use std::path::Path;

use super::{Check, ask};

#[derive(Debug)]
pub(super) struct Facts {
    /// Whether the clock is set by the network; none where nobody can tell.
    synchronised: Option<bool>,
    /// The year that the clock says.
    year: i16,
}

impl Facts {
    pub(super) fn look() -> Self {
        let said = ask("timedatectl", &["show", "-p", "NTPSynchronized", "--value"]);
        let synchronised = match said.as_deref() {
            Some("yes") => Some(true),
            Some("no") => Some(false),
            _ => Path::new("/run/systemd/timesync/synchronized").exists().then_some(true),
        };
        Self { synchronised, year: jiff::Zoned::now().year() }
    }

    pub(super) fn judge(&self) -> Vec<Check> {
        /// Before Eyelid was written. A Pi without a network begins at the time of its last shutdown, or in 1970.
        const TOO_EARLY: i16 = 2025;
        let advice = "the machine needs a time server: sudo timedatectl set-ntp true, and a network";
        vec![match self.synchronised {
            _ if self.year < TOO_EARLY => {
                Check::bad("clock", format!("it is wrong: the year is {}", self.year), advice)
            }
            Some(true) => Check::good("clock", "set by the network"),
            Some(false) => Check::warning("clock", "not set by the network, so it may be wrong", advice),
            None => {
                Check::warning("clock", "whether it is set by the network can't be told", "see: timedatectl")
            }
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn a_clock_is_good_when_the_network_sets_it() {
        let verdict = |synchronised, year| Facts { synchronised, year }.judge()[0].verdict;
        assert_eq!(verdict(Some(true), 2026), Verdict::Good);
        assert_eq!(verdict(Some(false), 2026), Verdict::Warning);
        assert_eq!(verdict(None, 2026), Verdict::Warning);
        assert_eq!(verdict(Some(true), 1970), Verdict::Bad);
    }
}
