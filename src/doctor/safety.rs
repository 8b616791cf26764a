//! Who may look, as far as the configuration tells.

use super::{Check, Surroundings};

pub(super) fn judge(around: &Surroundings) -> Vec<Check> {
    let key = "access";
    vec![if around.listen().ip().is_loopback() {
        Check::good(key, "only programs of this machine can connect, such as a reverse proxy")
    } else {
        Check::warning(
            key,
            "everybody in the network can look, and change what can be set: there is no password",
            "listen on 127.0.0.1 behind a reverse proxy with TLS and a password: docs/operations.md",
        )
    }]
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Verdict, surroundings::tests::with},
        *,
    };
    use crate::config::Config;

    #[test]
    fn an_open_port_without_a_password_is_a_warning() {
        let verdict = |listen: &str| {
            judge(&with(true, true, Config { listen: listen.parse().unwrap(), ..Config::default() }))[0]
                .verdict
        };
        assert_eq!(verdict("127.0.0.1:3000"), Verdict::Good);
        assert_eq!(verdict("[::1]:3000"), Verdict::Good);
        assert_eq!(verdict("0.0.0.0:3000"), Verdict::Warning);
    }
}
