//! Who may look.

use serde_json::Value;

use super::{Check, Surroundings};
use crate::{cli::ask::ask, config::AccessRule};

#[derive(Debug)]
pub(super) struct Facts {
    /// Of `GET /api/access`: `setup`, `password` or `open`; none where no daemon can be asked.
    mode: Option<String>,
}

impl Facts {
    /// Asks the daemon, which knows what its owner has chosen.
    pub(super) fn look() -> Self {
        let answer = ask("GET", "/api/access", None).ok();
        Self { mode: answer.and_then(|answer| answer.get("mode").and_then(Value::as_str).map(str::to_owned)) }
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        vec![self.access(around)]
    }

    fn access(&self, around: &Surroundings) -> Check {
        let key = "access";
        let loopback = around.listen().ip().is_loopback();
        let password = "choose a password: sudo eyelid setup prints the address to do it at";
        let open = |why: &str| match loopback {
            true => Check::good(key, format!("open, to programs of this machine alone{why}")),
            false => Check::warning(
                key,
                format!("open: everybody in the network can look, and change what can be set{why}"),
                password,
            ),
        };
        match (self.mode.as_deref(), around.config.access) {
            (Some("password"), _) => Check::good(key, "there is a password"),
            (Some("setup"), _) => {
                Check::warning(key, "nobody can look yet: the owner has not chosen a password", password)
            }
            (Some("open"), AccessRule::Open) => open(", as the configuration says"),
            (Some("open"), _) => open(""),
            (_, AccessRule::Open) => open(", as the configuration says; no daemon was asked"),
            (_, AccessRule::Password) => Check::good(key, "a password is needed; no daemon was asked"),
            (_, AccessRule::Auto) if loopback => Check::good(
                key,
                "programs of this machine alone, until there is a password; no daemon was asked",
            ),
            (_, AccessRule::Auto) => {
                Check::good(key, "what the owner has chosen, and nobody before that; no daemon was asked")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Verdict, surroundings::tests::with},
        *,
    };
    use crate::config::Config;

    fn verdict(mode: Option<&str>, listen: &str, access: AccessRule) -> Verdict {
        let config = Config { listen: listen.parse().unwrap(), access, ..Config::default() };
        let facts = Facts { mode: mode.map(str::to_owned) };
        facts.judge(&with(true, true, config))[0].verdict
    }

    #[test]
    fn a_password_is_good_and_an_open_network_a_warning() {
        let (auto, network, alone) = (AccessRule::Auto, "[::]:3000", "127.0.0.1:3000");
        assert_eq!(verdict(Some("password"), network, auto), Verdict::Good);
        assert_eq!(verdict(Some("setup"), network, auto), Verdict::Warning);
        assert_eq!(verdict(Some("open"), network, auto), Verdict::Warning);
        assert_eq!(verdict(Some("open"), network, AccessRule::Open), Verdict::Warning);
        assert_eq!(verdict(Some("open"), alone, auto), Verdict::Good);
    }

    #[test]
    fn without_a_daemon_the_configuration_tells() {
        let (network, alone) = ("0.0.0.0:3000", "[::1]:3000");
        assert_eq!(verdict(None, network, AccessRule::Open), Verdict::Warning);
        assert_eq!(verdict(None, alone, AccessRule::Open), Verdict::Good);
        assert_eq!(verdict(None, network, AccessRule::Password), Verdict::Good);
        assert_eq!(verdict(None, network, AccessRule::Auto), Verdict::Good);
        assert_eq!(verdict(None, alone, AccessRule::Auto), Verdict::Good);
    }
}
