//! Who may look.

use serde_json::Value;

use super::{Check, Surroundings};
use crate::{
    cli::ask::ask,
    config::{AccessRule, Certificate},
};

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
        vec![self.access(around), tls(around)]
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

fn tls(around: &Surroundings) -> Check {
    let key = "tls";
    let config = &around.config;
    let proxied = config.proxies.iter().next().is_some();
    match config.tls.certificate() {
        Certificate::Files { .. } => Check::good(key, "on, with a certificate of the owner's"),
        Certificate::SelfSigned => Check::good(
            key,
            "on, with a certificate that Eyelid made; the log has its fingerprint to compare",
        ),
        Certificate::None if around.listen().ip().is_loopback() => {
            Check::good(key, "off, and nothing leaves this machine but through a proxy")
        }
        Certificate::None if proxied => {
            Check::good(key, "off here; a reverse proxy is configured, which may have it")
        }
        Certificate::None => Check::warning(
            key,
            "off: whoever is in the network can read pictures, and the password when it is sent",
            "self_signed = true under [tls] in the configuration, or a reverse proxy: docs/operations.md",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Verdict, surroundings::tests::with},
        *,
    };
    use crate::config::{Config, TlsConfig};

    #[test]
    fn a_network_without_tls_is_a_warning() {
        let told = |listen: &str, tls: TlsConfig, proxies: &[&str]| {
            let proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
            let config = Config { listen: listen.parse().unwrap(), tls, proxies, ..Config::default() };
            tls_of(config)
        };
        let off = TlsConfig::default;
        assert_eq!(told("[::]:3000", off(), &[]), Verdict::Warning);
        assert_eq!(told("[::]:3000", off(), &["10.0.0.0/8"]), Verdict::Good);
        assert_eq!(told("127.0.0.1:3000", off(), &[]), Verdict::Good);
        let own = TlsConfig { self_signed: true, ..off() };
        let files = TlsConfig { cert: "/a".to_owned(), key: "/b".to_owned(), ..off() };
        assert_eq!([told("[::]:3000", own, &[]), told("[::]:3000", files, &[])], [Verdict::Good; 2]);
    }

    fn tls_of(config: Config) -> Verdict {
        tls(&with(true, true, config)).verdict
    }

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
