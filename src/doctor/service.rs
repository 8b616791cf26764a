//! Whether the service runs.

use super::{Check, Surroundings, ask};

#[derive(Debug, Default)]
pub(super) struct Facts {
    /// What `systemctl show eyelid` says; none where systemd doesn't run.
    shown: Option<String>,
}

impl Facts {
    pub(super) fn look() -> Self {
        let properties =
            "--property=LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result,ExecMainStatus";
        Self { shown: ask("systemctl", &["show", "eyelid.service", properties]) }
    }

    fn value(&self, name: &str) -> &str {
        let lines = self.shown.as_deref().unwrap_or_default().lines();
        lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).next().unwrap_or_default()
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        vec![self.service(around)]
    }

    fn service(&self, around: &Surroundings) -> Check {
        let key = "service";
        let why = "see why: journalctl -u eyelid -n 50";
        let [active, sub, enabled] =
            ["ActiveState", "SubState", "UnitFileState"].map(|name| self.value(name));
        let restarts: u32 = self.value("NRestarts").parse().unwrap_or(0);
        match (self.value("LoadState"), active) {
            ("" | "not-found", _) if !around.service => {
                Check::good(key, "not installed as a service; Eyelid is run by hand")
            }
            ("", _) => Check::warning(
                key,
                "installed, and systemd does not tell how it is",
                "see: systemctl status eyelid",
            ),
            ("not-found", _) => Check::warning(
                key,
                "its unit is there, and systemd does not know of it yet",
                "sudo systemctl daemon-reload, then sudo systemctl enable --now eyelid",
            ),
            ("loaded", "active") if restarts > 0 => {
                Check::warning(key, format!("runs; systemd had to start it again, {}", times(restarts)), why)
            }
            ("loaded", "active") if enabled == "disabled" => Check::warning(
                key,
                "runs, and won't after a restart of the machine",
                "sudo systemctl enable eyelid",
            ),
            ("loaded", "active") => Check::good(key, format!("runs ({enabled})")),
            ("loaded", "inactive") => {
                Check::warning(key, format!("does not run ({enabled})"), "sudo systemctl enable --now eyelid")
            }
            ("loaded", _) => {
                let (result, code) = (self.value("Result"), self.value("ExecMainStatus"));
                let again =
                    if restarts > 0 { format!(", started again {}", times(restarts)) } else { String::new() };
                Check::bad(key, format!("fails: {active}, {sub}, {result}, exit code {code}{again}"), why)
            }
            (state, _) => Check::bad(key, format!("its unit is {state}"), "see: systemctl status eyelid"),
        }
    }
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Verdict, surroundings::tests::around},
        *,
    };

    fn told(shown: Option<&str>, service: bool) -> (Verdict, String) {
        let facts = Facts { shown: shown.map(str::to_owned) };
        let check = facts.judge(&around(true, service, &[])).remove(0);
        (check.verdict, check.what)
    }

    #[test]
    fn each_state_of_the_unit_is_judged() {
        let shown = |active: &str, sub: &str, enabled: &str, restarts: u32| {
            format!(
                "Result=exit-code\nNRestarts={restarts}\nExecMainStatus=1\nLoadState=loaded\nActiveState={active}\n\
                 SubState={sub}\nUnitFileState={enabled}\n"
            )
        };
        let verdict = |text: String| told(Some(&text), true);
        assert_eq!(
            verdict(shown("active", "running", "enabled", 0)),
            (Verdict::Good, "runs (enabled)".to_owned())
        );
        assert_eq!(verdict(shown("active", "running", "disabled", 0)).0, Verdict::Warning);
        let again = verdict(shown("active", "running", "enabled", 3));
        assert_eq!(again, (Verdict::Warning, "runs; systemd had to start it again, 3 times".to_owned()));
        assert_eq!(verdict(shown("inactive", "dead", "disabled", 0)).0, Verdict::Warning);
        let fails = verdict(shown("activating", "auto-restart", "enabled", 1));
        assert_eq!(fails.0, Verdict::Bad);
        assert!(fails.1.contains("exit code 1, started again once"), "{}", fails.1);
        assert_eq!(verdict("LoadState=masked\nActiveState=inactive\n".to_owned()).0, Verdict::Bad);
    }

    #[test]
    fn without_a_unit_or_systemd_nothing_is_wrong() {
        assert_eq!(told(None, false).0, Verdict::Good);
        assert_eq!(told(Some("LoadState=not-found\nActiveState=inactive\n"), false).0, Verdict::Good);
        assert_eq!(told(Some("LoadState=not-found\nActiveState=inactive\n"), true).0, Verdict::Warning);
        assert_eq!(told(None, true).0, Verdict::Warning);
    }
}
