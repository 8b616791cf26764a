//! The log: one line an event on standard error, in the form that its reader wants.
//!
//! | standard error is | a line |
//! | --- | --- |
//! | systemd's journal | `<6>camera tank: live`: the journal has a clock of its own, and reads the priority from `<N>` |
//! | a terminal | `2026-03-01 12:00:00.123  INFO camera tank: live`, local time, in colour unless `NO_COLOR` is set |
//! | anything else | the same without colour |
//!
//! With `log.format = "json"` it is one JSON object a line, whoever reads.

use std::{
    env, fmt,
    io::{self, IsTerminal},
};

use tracing::{Event, Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer, Registry,
    filter::Targets,
    fmt::{
        FmtContext, FormatEvent, FormatFields, MakeWriter,
        format::{Compact, Format, Writer},
        time::FormatTime,
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt,
};

use crate::config::{LogConfig, LogFormat, LogLevel};

/// The prefix of what this package's own code logs under, the second binary included.
const OWN: &str = "eyelid";

/// Changes the level of a running log.
#[derive(Debug, Clone)]
pub struct Handle {
    filter: reload::Handle<Targets, Registry>,
    verbose: u8,
}

impl Handle {
    /// Logs at `level` from now on, or at the level that `-v` asked for where that says more.
    pub fn set_level(&self, level: LogLevel) {
        // It fails only when the subscriber is gone, and with it the log.
        let _ = self.filter.reload(filter(level, self.verbose));
    }
}

/// Starts the daemon's log. `verbose` counts the `-v`: one for debug, two for all of ours and other
/// crates' debug. A flag is stronger than the file, so it also outlives [`Handle::set_level`].
///
/// # Errors
/// When this process has a log already.
pub fn init(config: &LogConfig, verbose: u8) -> anyhow::Result<Handle> {
    let style = match config.format {
        LogFormat::Json => Style::Json,
        LogFormat::Text if is_journal(env::var("JOURNAL_STREAM").ok().as_deref()) => Style::Prefixed,
        LogFormat::Text => Style::Timed { colour: wants_colour() },
    };
    let (filter, handle) = reload::Layer::new(filter(config.level, verbose));
    tracing_subscriber::registry().with(filter).with(style.layer(io::stderr)).try_init()?;
    Ok(Handle { filter: handle, verbose })
}

/// What is logged: ours from `level` on, and of other crates, whose information is noise to the owner of a
/// camera, warnings.
fn filter(level: LogLevel, verbose: u8) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let (own, other) = match verbose {
        0 => (level, LevelFilter::WARN.min(level)),
        1 => (level.max(LevelFilter::DEBUG), LevelFilter::WARN),
        _ => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    Targets::new().with_default(other).with_target(OWN, own)
}

/// Whether standard error is the stream that systemd connected to the journal. The variable alone proves
/// nothing: children inherit it, also those whose standard error goes elsewhere.
fn is_journal(journal_stream: Option<&str>) -> bool {
    let stderr = rustix::fs::fstat(io::stderr());
    stderr.is_ok_and(|stat| journal_stream == Some(&format!("{}:{}", stat.st_dev, stat.st_ino)))
}

/// See <https://no-color.org>.
fn wants_colour() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The form of a log line.
#[derive(Debug, Clone, Copy)]
enum Style {
    Json,
    Prefixed,
    Timed { colour: bool },
}

impl Style {
    fn layer<S, W>(self, writer: W) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
    {
        // With internal errors logged, a line that can't be written becomes an eprintln!, and that panics
        // when standard error is a closed pipe.
        let layer = tracing_subscriber::fmt::layer().with_writer(writer).log_internal_errors(false);
        match self {
            Self::Json => {
                let layer = layer.json().flatten_event(true);
                layer.with_current_span(false).with_span_list(false).boxed()
            }
            Self::Prefixed => layer.with_ansi(false).event_format(Prefixed).boxed(),
            Self::Timed { colour } => layer.with_ansi(colour).event_format(Timed).boxed(),
        }
    }
}

/// Lines with a syslog priority in front. See sd-daemon(3).
struct Prefixed;

impl<S, N> FormatEvent<S, N> for Prefixed
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = String::new();
        let format = compact(event).with_level(false).without_time();
        format.format_event(context, Writer::new(&mut text), event)?;
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        // The journal takes each line for an entry of its own.
        text.lines().try_for_each(|line| writeln!(writer, "<{priority}>{line}"))
    }
}

/// Lines with local time and level.
struct Timed;

impl<S, N> FormatEvent<S, N> for Timed
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        compact(event).with_timer(LocalTime).format_event(context, writer, event)
    }
}

/// The module is told of other crates only: our own lines say in words what they are about.
fn compact(event: &Event<'_>) -> Format<Compact> {
    Format::default().compact().with_target(!event.metadata().target().starts_with(OWN))
}

struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S%.3f"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A writer for a test's log. Clones share what was written.
    #[derive(Clone, Default)]
    pub(crate) struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Buffer {
        /// All that was written.
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `log` writes in `style` through a log of `level` and `verbose`.
    fn written(style: Style, level: LogLevel, verbose: u8, log: impl FnOnce(&Handle)) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let (layer, filter) = reload::Layer::new(filter(level, verbose));
        let subscriber = tracing_subscriber::registry().with(layer).with(style.layer(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || log(&Handle { filter, verbose }));
        buffer.text()
    }

    #[test]
    fn the_journal_gets_a_priority_and_no_clock() {
        let text = written(Style::Prefixed, LogLevel::Trace, 0, |_| {
            tracing::error!("a");
            tracing::warn!("b");
            tracing::info!(viewers = 2, "c");
            tracing::debug!("d");
            tracing::trace!("e");
        });
        assert_eq!(text, "<3>a\n<4>b\n<6>c viewers=2\n<7>d\n<7>e\n");
    }

    #[test]
    fn each_line_of_a_longer_message_has_its_priority() {
        let text = written(Style::Prefixed, LogLevel::Info, 0, |_| tracing::warn!("first\nsecond"));
        assert_eq!(text, "<4>first\n<4>second\n");
    }

    #[test]
    fn people_get_a_local_time_and_no_colour_codes_in_a_file() {
        let text = written(Style::Timed { colour: false }, LogLevel::Info, 0, |_| {
            tracing::info!("camera tank: live");
        });
        let (time, rest) = text.split_at("2026-03-01 12:00:00.123".len());
        jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S%.3f", time).expect(time);
        assert_eq!(rest, "  INFO camera tank: live\n");
    }

    #[test]
    fn a_terminal_gets_colours_and_no_foreign_escape_codes() {
        let text = written(Style::Timed { colour: true }, LogLevel::Info, 0, |_| {
            tracing::info!("evil \u{1b}]0;title\u{7} end");
        });
        assert!(text.contains("\u{1b}[32m"), "{text:?}");
        assert!(!text.contains("\u{1b}]0;") && text.contains(" end"), "{text:?}");
    }

    #[test]
    fn json_is_an_object_a_line() {
        let text = written(Style::Json, LogLevel::Info, 0, |_| {
            tracing::info!(camera = "tank", "two\nlines");
            tracing::warn!("second");
        });
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["camera"], "tank");
        assert_eq!(lines[0]["message"], "two\nlines");
        assert!(lines[0]["timestamp"].is_string());
    }

    #[test]
    fn other_crates_are_heard_when_they_warn_and_are_named() {
        let log = |_: &Handle| {
            tracing::info!(target: "hyper::proto", "noise");
            tracing::warn!(target: "hyper::proto", "trouble");
            tracing::info!(target: "eyelid_libcamera", "ours too");
        };
        let text = written(Style::Prefixed, LogLevel::Info, 0, log);
        assert_eq!(text, "<4>hyper::proto: trouble\n<6>ours too\n");
        let quiet = written(Style::Prefixed, LogLevel::Error, 0, log);
        assert_eq!(quiet, "", "level error silences the warnings of other crates too");
        let verbose = written(Style::Prefixed, LogLevel::Error, 2, log);
        assert_eq!(verbose.lines().count(), 3);
    }

    #[test]
    fn the_level_changes_while_running_but_never_below_the_flag() {
        let log = |handle: &Handle| {
            tracing::debug!("one");
            handle.set_level(LogLevel::Debug);
            tracing::debug!("two");
            handle.set_level(LogLevel::Error);
            tracing::debug!("three");
        };
        assert_eq!(written(Style::Prefixed, LogLevel::Info, 0, log), "<7>two\n");
        assert_eq!(written(Style::Prefixed, LogLevel::Info, 1, log), "<7>one\n<7>two\n<7>three\n");
    }

    #[test]
    fn a_line_that_cannot_be_written_is_lost_and_nothing_else() {
        struct Closed;
        impl io::Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let layer = Style::Timed { colour: false }.layer(|| Closed);
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || tracing::error!("nobody reads this"));
    }

    #[test]
    fn only_the_stream_that_systemd_named_is_the_journal() {
        let stat = rustix::fs::fstat(io::stderr()).unwrap();
        assert!(is_journal(Some(&format!("{}:{}", stat.st_dev, stat.st_ino))));
        assert!(!is_journal(Some(&format!("{}:{}", stat.st_dev, stat.st_ino + 1))));
        assert!(!is_journal(Some("")));
        assert!(!is_journal(None));
    }
}
