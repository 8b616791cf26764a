use std::{fs, os::unix::ffi::OsStringExt};

use tempfile::TempDir;

use super::*;

fn env<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(OsString, OsString)> {
    pairs.map(|(name, value)| (name.into(), value.into())).into()
}

/// A folder with one file for each way to find one, and a request that can see them all.
fn folder() -> (TempDir, Request) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, quality) in [("flag", 1), ("variable", 2), ("here", 3), ("etc", 4)] {
        fs::write(path(name), format!("[[camera]]\nquality = {quality}\n")).unwrap();
    }
    let request = Request {
        file: Some(path("flag")),
        env: vec![("EYELID_CONFIG".into(), path("variable").into())],
        usual: vec![path("here"), path("etc")],
        overrides: Overrides::default(),
    };
    (folder, request)
}

fn errors(request: &Request) -> Vec<String> {
    load(request).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[test]
fn the_file_is_that_of_the_flag_the_variable_or_a_usual_place() {
    let (folder, mut request) = folder();
    let path = |name: &str| folder.path().join(name);
    let outcome = |request: &Request| {
        let loaded = load(request).unwrap();
        assert_eq!(loaded.file.as_deref(), locate(request).path());
        (locate(request), loaded.config.cameras[0].quality)
    };
    assert_eq!(outcome(&request), (Source::Flag(path("flag")), 1));
    request.file = None;
    assert_eq!(outcome(&request), (Source::Variable(path("variable")), 2));
    request.env[0].1 = OsString::new();
    assert_eq!(outcome(&request), (Source::Usual(path("here")), 3));
    fs::remove_file(path("here")).unwrap();
    assert_eq!(outcome(&request), (Source::Usual(path("etc")), 4));
    fs::remove_file(path("etc")).unwrap();
    assert_eq!(outcome(&request), (Source::Defaults, 80));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let (folder, mut request) = folder();
    let missing = folder.path().join("missing");
    let text = format!(
        "{}: can't read the configuration: No such file or directory (os error 2)",
        missing.display()
    );
    request.file = Some(missing.clone());
    assert_eq!(errors(&request), [format!("{text}; --config names this file")]);
    request.file = None;
    request.env[0].1 = missing.clone().into();
    assert_eq!(errors(&request), [format!("{text}; $EYELID_CONFIG names this file")]);
}

#[test]
fn a_usual_file_that_cant_be_read_is_not_passed_over() {
    let (folder, request) = folder();
    let here = folder.path().join("here");
    fs::remove_file(&here).unwrap();
    std::os::unix::fs::symlink("nowhere", &here).unwrap();
    let request = Request { file: None, env: Vec::new(), ..request };
    assert_eq!(
        errors(&request),
        [format!(
            "{}: can't read the configuration: No such file or directory (os error 2); make it readable, or name \
             another with --config",
            here.display()
        )]
    );
    fs::remove_file(&here).unwrap();
    fs::create_dir(&here).unwrap();
    assert!(errors(&request)[0].contains("Is a directory"));
}

#[test]
fn a_file_without_end_is_refused() {
    let request = Request { file: Some("/dev/zero".into()), ..Request::default() };
    assert_eq!(errors(&request), ["/dev/zero: expected a configuration of at most 262144 bytes, found more"]);
}

#[test]
fn a_file_that_is_not_utf8_is_refused_with_the_byte() {
    let (_folder, request) = folder();
    let file = request.file.clone().unwrap();
    fs::write(&file, b"# one\n# \xc3\xa9 \xff\n").unwrap();
    assert_eq!(
        errors(&request),
        [format!(
            "{}:2:5: expected UTF-8 text, found the byte 0xff (byte 12 of the file); save the file as UTF-8",
            file.display()
        )]
    );
}

#[test]
fn flag_beats_variable_beats_file_beats_default() {
    let (_folder, mut request) = folder();
    let listens = |request: &Request| load(request).unwrap().config.listen.to_string();
    assert_eq!(listens(&request), "127.0.0.1:3000");
    fs::write(request.file.as_ref().unwrap(), "listen = \"localhost:1\"\n[log]\nlevel = \"warn\"\n").unwrap();
    assert_eq!(listens(&request), "127.0.0.1:1");
    request.env =
        env([("EYELID_LISTEN", " [::]:2 "), ("EYELID_LOG_LEVEL", "trace"), ("EYELID_LOG_FORMAT", "json")]);
    assert_eq!(listens(&request), "[::]:2");
    request.overrides.listen = Some(([0, 0, 0, 0], 3).into());
    assert_eq!(listens(&request), "0.0.0.0:3");
    request.overrides.log_level = Some(LogLevel::Error);
    let log = load(&request).unwrap().config.log;
    assert_eq!((log.level, log.format), (LogLevel::Error, LogFormat::Json));
}

#[test]
fn every_kind_of_value_can_be_a_variable() {
    let env = env([
        ("EYELID_HOSTS", "a.example, B.example,"),
        ("EYELID_ALLOW_DISK", "true"),
        ("EYELID_SOCKETIO_PING_INTERVAL", "7s"),
        ("EYELID_LIMITS_CONNECTIONS_PER_ADDRESS", "9"),
        ("EYELID_LOG_LEVEL", ""),
        ("HOME", "/"),
    ]);
    let loaded = load(&Request { env, usual: Vec::new(), ..Request::default() }).unwrap();
    let mut expected = Config { hosts: vec!["a.example".into(), "b.example".into()], ..Config::default() };
    expected.allow_disk = true;
    expected.socketio.ping_interval = std::time::Duration::from_secs(7);
    expected.limits.connections_per_address = 9;
    assert_eq!(loaded, Loaded { config: expected, file: None, warnings: Vec::new() });
}

#[test]
fn errors_of_file_and_variables_come_together_and_name_the_variable() {
    let (_folder, mut request) = folder();
    let file = request.file.clone().unwrap();
    fs::write(&file, "allow_disk = 1\n").unwrap();
    request.env = env([
        ("EYELID_LIMITS_CONNECTIONS", "0"),
        ("EYELID_SOCKETIO_PING_TIMEOUT", "5"),
        ("EYELID_HOSTS", "http://x"),
    ]);
    request.env.push(("EYELID_LISTEN".into(), OsString::from_vec(vec![0xff])));
    assert_eq!(
        errors(&request),
        [
            &format!("{}:1:14: allow_disk: expected true or false, found the number 1", file.display()),
            "EYELID_LIMITS_CONNECTIONS: expected an integer from 1 to 65536, found \"0\"",
            "EYELID_SOCKETIO_PING_TIMEOUT: expected a time from 1s to 60s, found \"5\"; write it with its unit, such \
             as \"100ms\", \"5s\" or \"1m 30s\"",
            "EYELID_HOSTS: expected a host name such as camera.example.org, without scheme, port or path, found \
             \"http://x\"",
            "EYELID_LISTEN: expected UTF-8 text",
        ]
    );
}

#[test]
fn a_variable_that_looks_like_ours_is_a_warning() {
    let env = env([("EYELID_LOGLEVEL", "1"), ("EYELID_CAMERA_SIZE", "1"), ("EYELID_XYZ", "1")]);
    let loaded = load(&Request { env, usual: Vec::new(), ..Request::default() }).unwrap();
    assert_eq!(
        loaded.warnings,
        [
            "EYELID_LOGLEVEL is not used: did you mean EYELID_LOG_LEVEL?",
            "EYELID_CAMERA_SIZE is not used: cameras are set in the configuration file",
            "EYELID_XYZ is not used: there is no such setting",
        ]
    );
}
