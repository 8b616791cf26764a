//! The shipped file, the documentation and the reader say the same; and no text whatever makes it panic.

use std::{path::Path, time::Duration};

use proptest::prelude::*;
use toml::de::{DeTable, DeValue};

use super::{
    AccessRule, Area, CameraConfig, Config, ConfigErrors, Corner, Kind, OfflineConfig, PictureConfig,
    PrivacyConfig, QuietHours, Request, Rotation, Size, diff, env,
    keys::{CAMERA, GLOBAL},
    load, read,
    value::Value,
};

const SHIPPED: &str = include_str!("../../config.toml");
const DOCUMENTED: &str = include_str!("../../docs/configuration.md");

fn parse(text: &str) -> Result<Config, ConfigErrors> {
    let (config, errors) = read::read(Path::new("config.toml"), text);
    if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
}

/// Each key's section, name, default, and what its errors say is expected.
fn keys() -> Vec<(&'static str, &'static str, String, String)> {
    fn expected(message: &str) -> String {
        let expected = message.strip_prefix("expected ").expect("every message says what is expected");
        expected.split(", found ").next().expect("a split has a first part").to_owned()
    }
    let odd = DeValue::Table(Default::default());
    let mut config = Config::default();
    let mut keys = Vec::new();
    for key in GLOBAL {
        let fault = (key.read)(&mut config, Value::File(&odd)).expect_err("no key takes a section");
        let (section, name) = key.name.split_once('.').unwrap_or(("", key.name));
        keys.push((section, name, (key.show)(&Config::default()), expected(&fault.message)));
    }
    for key in CAMERA {
        let camera = &mut config.cameras[0];
        let fault = (key.read)(camera, Value::File(&odd)).expect_err("no key takes a section");
        let (section, name) = match key.name.split_once('.') {
            None => ("camera", key.name),
            Some(("offline", name)) => ("camera.offline", name),
            Some(("privacy", name)) => ("camera.privacy", name),
            Some(other) => panic!("{other:?}"),
        };
        keys.push((section, name, (key.show)(&CameraConfig::default()), expected(&fault.message)));
    }
    assert!(keys.len() >= 35);
    keys
}

#[test]
fn the_shipped_file_equals_the_defaults() {
    assert_eq!(parse(SHIPPED), Ok(Config::default()));
}

#[test]
fn the_shipped_file_sets_every_key_and_says_what_it_is() {
    let document = DeTable::parse(SHIPPED).unwrap().into_inner();
    let camera = document["camera"].get_ref().get(0).unwrap().get_ref().as_table().unwrap();
    for (section, name, default, _) in keys() {
        let table = match section {
            "" => &document,
            "camera" => camera,
            "camera.offline" => camera["offline"].get_ref().as_table().unwrap(),
            "camera.privacy" => camera["privacy"].get_ref().as_table().unwrap(),
            section => document[section].get_ref().as_table().unwrap(),
        };
        let value = table.get(name).unwrap_or_else(|| panic!("config.toml lacks {name} in [{section}]"));
        assert_eq!(&SHIPPED[value.span()], default, "{name}");
        let lines: Vec<_> = SHIPPED[..value.span().start].lines().rev().collect();
        assert!(lines[1].starts_with("# "), "config.toml does not say what {name} is");
    }
}

#[test]
fn the_documentation_has_every_key_with_its_default_and_limits() {
    for (section, name, default, expected) in keys() {
        let heading = match section {
            "" => "### At the top",
            "camera" => "### `[[camera]]`",
            section => &format!("### `[{section}]`"),
        };
        let (_, text) = DOCUMENTED.split_once(&format!("\n{heading}\n")).expect(heading);
        let text = text.split("\n### ").next().unwrap();
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")))
            .unwrap_or_else(|| panic!("docs/configuration.md lacks {name} under {heading}"));
        assert!(row.contains(&format!("| `{default}` |")), "default of {name}: {default}");
        assert!(row.contains(&format!("| {expected} |")), "values of {name}: {expected}");
        if !section.starts_with("camera") {
            let key = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
            assert!(row.contains(&format!("| `{}` |", env::variable(&key))), "variable of {name}");
        }
    }
}

#[test]
fn every_example_of_the_documentation_is_right() {
    let mut seen = 0;
    let blocks = |text: &'static str| text.split("```toml\n").skip(1);
    for block in [DOCUMENTED, include_str!("../../docs/commands.md"), include_str!("../../docs/esp32.md")]
        .into_iter()
        .flat_map(blocks)
    {
        let text = block.split("```").next().unwrap();
        assert_eq!(parse(text).err().map(|errors| errors.to_string()), None, "{text}");
        seen += 1;
    }
    assert!(seen >= 12, "{seen} examples");
}

/// The configuration as a file.
fn written(config: &Config) -> String {
    let mut text = String::new();
    for key in GLOBAL {
        text += &format!("{} = {}\n", key.name, (key.show)(config));
    }
    for camera in &config.cameras {
        text += "[[camera]]\n";
        for key in CAMERA {
            text += &format!("{} = {}\n", key.name, (key.show)(camera));
        }
    }
    text
}

fn time(from: u64, to: u64) -> impl Strategy<Value = Duration> {
    (from..=to).prop_map(Duration::from_millis)
}

fn area() -> impl Strategy<Value = Area> {
    (0u32..100_000, 0u32..100_000, 1u32..=100_000, 1u32..=100_000).prop_map(|(left, top, width, height)| {
        Area { left, top, width: width.min(100_000 - left), height: height.min(100_000 - top) }
    })
}

prop_compose! {
    fn picture()(
        crop in proptest::option::of(area()),
        max_size in proptest::option::of((8u32..=4096, 8u32..=4096)),
        masks in proptest::collection::vec(area(), 0..4),
        overlay in prop_oneof![Just(String::new()), "[^\\p{Cc}%]{0,100}", Just("%F %T {name}".to_owned())],
        corner in proptest::sample::select(&Corner::ALL[..]),
        (grayscale, recompress) in any::<(bool, bool)>(),
        keep_metadata in proptest::bool::weighted(0.1),
    ) -> PictureConfig {
        if keep_metadata {
            return PictureConfig { keep_metadata, overlay_position: corner, ..PictureConfig::default() };
        }
        let max_size = max_size.map(|(width, height)| Size { width: width * 2, height: height * 2 });
        PictureConfig {
            crop, max_size, grayscale, masks, overlay, overlay_position: corner, recompress, keep_metadata,
        }
    }
}

prop_compose! {
    fn offline()(
        folder in "(/[a-z]{1,9}){0,3}",
        (remember, after, interval) in (time(1, 600_000), time(0, 3_600_000), time(100, 3_600_000)),
        announce in any::<bool>(),
    ) -> OfflineConfig {
        let remember = if folder.is_empty() { remember } else { Duration::ZERO };
        OfflineConfig { folder, remember, after, interval, announce }
    }
}

prop_compose! {
    fn privacy()(
        interleave in prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0],
        shortest in time(1000, 3_600_000),
        more in time(0, 3_600_000),
        delay in time(0, 600_000),
        quiet in proptest::collection::vec((0u16..1440, 0u16..=1440), 0..3),
        switch in proptest::option::of(prop_oneof!["(/[a-z]{1,9}){1,3}", "gpiochip[0-9]:[0-9]{1,3}(:low)?"]),
    ) -> PrivacyConfig {
        let quiet = quiet.into_iter().filter(|(from, to)| from != to).map(|(from, to)| QuietHours { from, to });
        PrivacyConfig {
            interleave, shortest,
            longest: (shortest + more).min(Duration::from_secs(3600)),
            delay,
            quiet: quiet.collect(),
            switch: switch.map(|switch| switch.parse().unwrap()),
        }
    }
}

prop_compose! {
    fn camera()(
        name in "[a-z0-9][a-z0-9_-]{0,31}",
        title in "[^\\p{Cc}]{0,100}",
        kind in proptest::sample::select(&Kind::ALL[..]),
        (width, height) in (8u32..=4096, 8u32..=4096),
        (interval, linger) in (time(20, 86_400_000), time(0, 3_600_000)),
        (start, stall) in (time(1000, 300_000), time(1000, 86_400_000)),
        (quality, quarters, hflip, vflip) in (1u8..=100, 0u64..4, any::<bool>(), any::<bool>()),
        (picture, shuffle) in (picture(), any::<bool>()),
        command in "[^\0]{1,100}", id in "[^\\p{Cc}]{0,100}", format in "[A-Za-z0-9]{0,4}",
        (token, rest) in (proptest::option::of("[0-9a-f]{64}"), time(1000, 3_600_000)),
        on_wave in on_wave(),
        origins in proptest::collection::vec("\\*|https?://[a-z]{1,9}(:[1-9][0-9]{0,3})?/?", 0..4),
        (offline, privacy, public) in (offline(), privacy(), any::<bool>()),
    ) -> CameraConfig {
        let is_command = kind == Kind::Command && !command.trim().is_empty();
        let replay = if kind == Kind::Replay { format!("/films/{id}") } else { String::new() };
        let token = token.filter(|_| kind == Kind::Push).map(|digits| format!("sha256-{digits}").parse().unwrap());
        CameraConfig {
            name: name.parse().unwrap(),
            title,
            kind: if is_command || kind != Kind::Command { kind } else { Kind::Auto },
            size: Size { width: width * 2, height: height * 2 },
            interval, quality,
            rotate: Rotation::from_degrees(quarters * 90).unwrap(),
            hflip, vflip, picture, linger,
            start_timeout: start,
            stall_timeout: stall,
            command: if is_command { command } else { String::new() },
            replay,
            shuffle,
            device: id,
            format,
            origins: origins.iter().map(|origin| origin.parse().unwrap()).collect(),
            public,
            on_wave,
            upload_token: token,
            rest,
            offline, privacy,
        }
    }
}

/// A program and its arguments, or nothing.
fn on_wave() -> impl Strategy<Value = Vec<String>> {
    let words = ("/?[^/\0]{0,9}[a-z]", proptest::collection::vec("[^\0]{0,20}", 0..4));
    let program = words.prop_map(|(name, mut words)| {
        words.insert(0, name);
        words
    });
    prop_oneof![Just(Vec::new()), program]
}

fn config() -> impl Strategy<Value = Config> {
    (
        proptest::collection::vec(camera(), 1..5),
        any::<std::net::SocketAddr>(),
        any::<bool>(),
        1usize..=65536,
        proptest::sample::select(&AccessRule::ALL[..]),
    )
        .prop_map(|(mut cameras, mut listen, allow_disk, connections, access)| {
            let mut names = std::collections::HashSet::new();
            cameras.retain(|camera| names.insert(camera.name.clone()));
            if let std::net::SocketAddr::V6(v6) = &mut listen {
                // Flow information has no place in the text of an address.
                v6.set_flowinfo(0);
            }
            let mut config = Config { listen, access, allow_disk, cameras, ..Config::default() };
            config.limits.connections = connections;
            config
        })
}

/// The shipped file with one stretch of it replaced.
fn mutated() -> impl Strategy<Value = String> {
    const PIECES: &[&str] =
        &["", "=", "[", "]]", "[[camera]]\n", "\"", "'''", "\n", "\u{0}", "é", "#", "9", "{", ".", "x = 1\n"];
    let piece = prop_oneof![proptest::sample::select(PIECES).prop_map(str::to_owned), ".{0,8}"];
    (0..SHIPPED.len(), 0usize..40, piece).prop_map(|(at, length, piece)| {
        format!("{}{piece}{}", &SHIPPED[..at], &SHIPPED[(at + length).min(SHIPPED.len())..])
    })
}

/// Whatever the text is, the outcome is a valid configuration or errors that can be displayed.
fn check(text: &str) {
    match parse(text) {
        Ok(config) => assert_eq!(parse(&written(&config)), Ok(config)),
        Err(errors) => {
            assert!(!errors.0.is_empty());
            assert!(!format!("{errors}{errors:#}").contains('\u{1b}'), "no escape sequence gets out");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn anything_like_toml_is_read_without_a_panic(text in "([a-z]{1,9}|[\\[\\]{}=.,\"'#\n \t\u{1b}é0-9_+-]|camera|=|\\[\\[){0,60}") {
        check(&text);
    }

    #[test]
    fn any_mutation_of_the_shipped_file_is_read_without_a_panic(text in mutated()) {
        check(&text);
    }

    #[test]
    fn any_value_of_any_key_is_read_without_a_panic(index in any::<proptest::sample::Index>(), value in "(\"[ -!#-\\[\\]-~]{0,40}\"|[0-9]{1,30}(ms|s|y)?|-?[0-9]{1,4}|\\[[0-9,\"]{0,9}\\]|\"([0-9]{1,20}(ms|s|y|ns) ?){1,3}\")") {
        let (section, name, ..) = index.get(&keys()).clone();
        let header = match section {
            "" => String::new(),
            "camera" => "[[camera]]".into(),
            s if s.starts_with("camera.") => format!("[[camera]]\n[{s}]"),
            s => format!("[{s}]"),
        };
        check(&format!("{header}\n{name} = {value}\n"));
    }

    #[test]
    fn any_bytes_are_loaded_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, &bytes).unwrap();
        let outcome = load(&Request { file: Some(file), ..Request::default() });
        prop_assert!(outcome.is_err() || std::str::from_utf8(&bytes).is_ok());
    }

    #[test]
    fn what_is_written_is_read_back(config in config()) {
        prop_assert_eq!(parse(&written(&config)), Ok(config));
    }

    #[test]
    fn configurations_differ_where_the_difference_says_so(a in config(), b in config()) {
        prop_assert!(diff(&a, &a).is_empty());
        prop_assert_eq!(diff(&a, &b).is_empty(), a == b);
    }
}
