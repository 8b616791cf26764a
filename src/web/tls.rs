//! The certificate that the port shows: read or made, and taken over when it changes.

mod own;
mod pair;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use tokio::sync::watch;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Certificate, Watcher};
use pair::Pair;

/// How often it is looked whether the certificate still lasts.
const LOOK: Duration = Duration::from_secs(6 * 3600);

/// What the accept loop shows to each new connection.
pub(crate) type Shown = watch::Receiver<Arc<ServerConfig>>;

/// Opens the certificate that is configured, and follows its changes until `shutdown`; nothing where none is.
///
/// # Errors
/// When it can't be read, made or used: which key is to blame, and what to do.
pub(crate) fn open(
    certificate: &Certificate,
    state_folder: &Path,
    hosts: &[String],
    shutdown: CancellationToken,
) -> anyhow::Result<Option<Shown>> {
    let source = match certificate {
        Certificate::None => return Ok(None),
        Certificate::Files { cert, key } => Source::Files { cert: cert.clone(), key: key.clone() },
        Certificate::SelfSigned => Source::Own { file: own::file(state_folder), names: own::names(hosts) },
    };
    let pair = source.get(SystemTime::now())?;
    tracing::info!("{}", pair.in_words());
    warn_of_the_end(&pair);
    let (show, shown) = watch::channel(pair.config.clone());
    let keeper = Arc::new(Keeper { source, show, now: Mutex::new(Now { pair, refused: None }) });
    let watchers = keeper.clone().watch();
    // What has changed between reading and watching.
    keeper.look();
    tokio::spawn(async move {
        while shutdown.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            keeper.look();
            warn_of_the_end(&keeper.now.lock().unwrap_or_else(PoisonError::into_inner).pair);
        }
        drop(watchers);
    });
    Ok(Some(shown))
}

/// What `eyelid check` says of the certificate; nothing where none is configured.
///
/// # Errors
/// As [`open`].
pub(crate) fn check(certificate: &Certificate, state_folder: &Path) -> anyhow::Result<Option<String>> {
    Ok(match certificate {
        Certificate::None => None,
        Certificate::Files { cert, key } => Some(Pair::read(cert, key)?.in_words()),
        Certificate::SelfSigned => {
            let file = own::file(state_folder);
            let made = || format!("makes a certificate of its own in {}", file.display());
            Some(own::kept(&file).map_or_else(made, |pair| pair.in_words()))
        }
    })
}

fn warn_of_the_end(pair: &Pair) {
    const NEAR: Duration = Duration::from_secs(14 * 24 * 3600);
    let now = SystemTime::now();
    if pair.ends <= now {
        tracing::warn!("the TLS certificate in {} has expired: browsers refuse it", pair.file.display());
    } else if pair.ends <= now + NEAR {
        tracing::warn!("the TLS certificate in {} expires on {}", pair.file.display(), pair.last_day());
    }
}

/// Where certificate and key are.
enum Source {
    Files { cert: PathBuf, key: PathBuf },
    Own { file: PathBuf, names: Vec<String> },
}

impl Source {
    fn get(&self, now: SystemTime) -> anyhow::Result<Pair> {
        match self {
            Self::Files { cert, key } => Pair::read(cert, key),
            Self::Own { file, names } => own::get(file, names, now)
                .with_context(|| format!("tls.self_signed: no certificate in {}", file.display())),
        }
    }
}

/// Takes over what is new.
struct Keeper {
    source: Source,
    show: watch::Sender<Arc<ServerConfig>>,
    now: Mutex<Now>,
}

struct Now {
    pair: Pair,
    /// Why the files as they are were refused.
    refused: Option<String>,
}

impl Keeper {
    fn watch(self: Arc<Self>) -> Vec<Watcher> {
        let Source::Files { cert, key } = &self.source else { return Vec::new() };
        let watch = |file: &PathBuf| {
            let keeper = self.clone();
            config::watch(file, move || keeper.look())
                .inspect_err(|error| {
                    tracing::warn!("changes of {} will not be seen: {error}", file.display());
                })
                .ok()
        };
        [cert, key].into_iter().filter_map(watch).collect()
    }

    /// Takes over a new pair if it is good, and goes on with the old one if not.
    fn look(&self) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        match self.source.get(SystemTime::now()) {
            Ok(new) => {
                now.refused = None;
                if !new.is(&now.pair) {
                    tracing::info!("changed: {}", new.in_words());
                    self.show.send_replace(new.config.clone());
                    now.pair = new;
                }
            }
            Err(error) => {
                let error = format!("{error:#}");
                if now.refused.as_ref() != Some(&error) {
                    tracing::error!(
                        "the changed TLS certificate is refused, and the old one goes on: {error}"
                    );
                    now.refused = Some(error);
                }
            }
        }
    }
}
