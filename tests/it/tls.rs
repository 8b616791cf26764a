//! Encrypted connections: all that there is works over them, and certificates are read, made and changed.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use rustix::process::Signal;
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::support::{
    Browser, Certificate, Daemon, Mjpeg, Program, StandIn, Tunnel, Viewer, connect_tls, eventually, exchange,
    get, in_time, jpeg, request, request_over,
};

const PATTERN: &str = "[[camera]]\nkind = \"pattern\"\n";
const TOKEN: &str = "b1946ac92492d2347c6235b4d2611184";

#[tokio::test(flavor = "multi_thread")]
async fn all_that_there_is_works_over_tls() {
    let (camera, certificate) = (StandIn::new(), Certificate::new());
    let push = format!(
        "[[camera]]\nname = \"door\"\nkind = \"push\"\nupload_token = \"{}\"\nstall_timeout = \"5m\"\n",
        eyelid::token::TokenHash::of(TOKEN)
    );
    let config = format!("{}{}{push}", certificate.section(), camera.entry("tank", "linger = \"0s\""));
    let daemon = Daemon::start(&config).await;
    let tunnel = Tunnel::to(daemon.address, &certificate.cert()).await;
    let address = tunnel.address;

    let page = get(address, "/cameras/tank/").await;
    assert_eq!((page.status, page.header("x-content-type-options")), (200, "nosniff"));
    // The page and its Socket.IO.
    let browser = Browser::open(address).await;
    browser.say("start-stream");
    browser.picture().await;
    let picture = get(address, "/cameras/tank/image_stream.jpg").await;
    eyelid::jpeg::inspect(&picture.body).unwrap();
    drop(browser);
    // A stream and a WebSocket, each of which starts the camera.
    let mut stream = Mjpeg::open(address, "/cameras/tank/stream.mjpg").await;
    stream.picture().await;
    let mut viewer = Viewer::open(address, "/cameras/tank/ws").await;
    viewer.picture().await;
    drop((stream, viewer));
    // Whoever has gone is seen to have gone.
    let tank = async || get(address, "/api/cameras/tank").await.json();
    eventually("the end of the camera", async || (tank().await["state"] == "idle").then_some(())).await;
    let sender = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: image/jpeg\r\n");
    let sent = request(address, "POST", "/cameras/door/upload", &sender, &jpeg(1)).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_without_tls_is_sent_there_and_gets_nothing_else() {
    let certificate = Certificate::new();
    let daemon = Daemon::start(&(certificate.section() + PATTERN)).await;
    let address = daemon.address;
    for path in ["/", "/snapshot.jpg?width=320", "/socket.io/?EIO=4&transport=polling"] {
        let reply = get(address, path).await;
        let place = format!("https://{address}{path}");
        assert_eq!((reply.status, reply.header("location")), (307, place.as_str()));
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let reply = request(address, "POST", "/upload", "", b"secret").await;
    assert_eq!((reply.status, reply.header("location")), (400, ""));
    let hint = format!("ask for https://{address}/upload");
    assert_eq!(
        (&reply.json()["error"], &reply.json()["hint"]),
        (&"this port speaks HTTPS only".into(), &hint.into())
    );
    // Nobody is sent to another host than this one.
    let stranger = request(address, "GET", "/", "Host: example.org\r\n", b"").await;
    assert_eq!((stranger.status, stranger.header("location")), (421, ""));
    // What is neither HTTP nor TLS, and what begins as TLS and is not.
    assert!(exchange(address, b"\x80\x2e\x01\r\n\r\n").await.starts_with(b"HTTP/1.1 400 "));
    let garbage = exchange(address, &[0x16; 100]).await;
    assert!(!garbage.starts_with(b"HTTP"), "{garbage:?}");
    let stream = connect_tls(address, &certificate.cert(), None).await.unwrap();
    assert_eq!(request_over(stream, "/healthz").await.status, 200);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_known_and_was_asked_by_tls_need_not_speak_it() {
    let certificate = Certificate::new();
    let config = format!("proxies = [\"127.0.0.1\"]\n{}{PATTERN}", certificate.section());
    let daemon = Daemon::start(&config).await;
    let by = async |proto: &str| {
        request(daemon.address, "GET", "/api/status", &format!("X-Forwarded-Proto: {proto}\r\n"), b"")
            .await
            .status
    };
    assert_eq!((by("https").await, by("http").await), (200, 307));
    daemon.stop().await;
}

/// Waits until new connections are shown the certificate in this file.
async fn shown(program: &Program, cert: &Path) {
    eventually("the certificate", async || {
        let stream = connect_tls(program.address, cert, None).await.ok()?;
        Some(request_over(stream, "/healthz").await.status).filter(|status| *status == 200)
    })
    .await;
}

async fn logged(program: &Program, text: &str) {
    eventually(&format!("{text:?} in the log"), async || {
        program.log().iter().any(|line| line.contains(text)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_certificate_is_taken_over_and_a_bad_one_refused() {
    let certificate = Certificate::new();
    let (cert, key) = (certificate.cert(), certificate.key());
    let beside = |name: &str| certificate.folder().join(name);
    let program = Program::start(&(certificate.section() + PATTERN)).await;
    shown(&program, &cert).await;
    let first = beside("first.pem");
    fs::copy(&cert, &first).unwrap();

    // Only the key is another one: the old pair goes on.
    certificate.write(&beside("other.pem"), &beside("new-key.pem"));
    fs::rename(beside("new-key.pem"), &key).unwrap();
    logged(&program, "is refused, and the old one goes on: tls.key: ").await;
    logged(&program, "is not the key of the certificate in").await;
    shown(&program, &first).await;
    // And now its certificate.
    fs::rename(beside("other.pem"), &cert).unwrap();
    shown(&program, &cert).await;
    assert!(connect_tls(program.address, &first, None).await.is_err(), "the old one is shown no more");

    fs::write(&cert, "no certificate").unwrap();
    logged(&program, "has no certificate").await;
    // In place.
    certificate.write(&cert, &key);
    shown(&program, &cert).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_keys_of_tls_need_a_restart_and_the_log_says_which() {
    let (first, second) = (Certificate::new(), Certificate::new());
    let program = Program::start(&(first.section() + PATTERN)).await;
    shown(&program, &first.cert()).await;
    fs::write(program.config_file(), second.section() + PATTERN).unwrap();
    logged(&program, "restart the daemon for the change of tls.cert, tls.key to take effect").await;
    shown(&program, &first.cert()).await;
    assert!(connect_tls(program.address, &second.cert(), None).await.is_err(), "it is not in force");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_lead_elsewhere_are_followed_as_certbot_makes_them() {
    let certificate = Certificate::new();
    let folder = certificate.folder();
    for name in ["archive", "live"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    let issue = |number: u32| {
        let files = ["cert", "key"].map(|name| format!("archive/{name}{number}.pem"));
        certificate.write(&folder.join(&files[0]), &folder.join(&files[1]));
        for (name, file) in ["cert", "key"].iter().zip(files) {
            let link = folder.join(format!("live/{name}.pem"));
            let _ = fs::remove_file(&link);
            symlink(Path::new("..").join(file), link).unwrap();
        }
    };
    issue(1);
    let live = folder.join("live");
    let section = format!("[tls]\ncert = {:?}\nkey = {:?}\n", live.join("cert.pem"), live.join("key.pem"));
    let program = Program::start(&(section + PATTERN)).await;
    for number in 1..=3 {
        if number > 1 {
            issue(number);
        }
        shown(&program, &folder.join(format!("archive/cert{number}.pem"))).await;
    }
}

/// Runs the program to its end.
async fn run(config: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = Program::folder();
    let mut command: Command = Program::command(&folder, config, arguments);
    let output = in_time("the end of the program", command.output()).await.unwrap();
    let all = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&all).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_pair_is_an_error_at_the_start_that_says_which_key_and_what_to_do() {
    let certificate = Certificate::new();
    let other = Certificate::new();
    let pair = |cert: &Path, key: &Path| format!("[tls]\ncert = {cert:?}\nkey = {key:?}\n{PATTERN}");
    let missing = certificate.folder().join("missing.pem");
    let encrypted = certificate.folder().join("encrypted.pem");
    fs::write(
        &encrypted,
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    for (config, words) in [
        (pair(&missing, &certificate.key()), ["tls.cert: ", "let the daemon's user read it"]),
        (pair(&certificate.cert(), &missing), ["tls.key: ", "let the daemon's user read it"]),
        (pair(&certificate.key(), &certificate.key()), ["tls.cert: ", "has no certificate"]),
        (pair(&certificate.cert(), &certificate.cert()), ["tls.key: ", "has no private key"]),
        (pair(&certificate.cert(), &encrypted), ["tls.key: ", "openssl pkey"]),
        (pair(&certificate.cert(), &other.key()), ["tls.key: ", "set both from one issue"]),
    ] {
        for (arguments, code) in [(&["--listen", "127.0.0.1:0"][..], 1), (&["check"], 2)] {
            let (ended, said) = run(&config, arguments).await;
            assert_eq!(ended, Some(code), "{said}");
            assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
        }
    }
    for (section, words) in [
        ("cert = \"/a.pem\"", ["tls.key: ", "needs its private key"]),
        ("key = \"/a.pem\"", ["tls.cert: ", "needs its certificate"]),
        ("cert = \"/a\"\nkey = \"/b\"\nself_signed = true", ["tls.self_signed: ", "leave self_signed out"]),
    ] {
        let (ended, said) = run(&format!("[tls]\n{section}\n{PATTERN}"), &["check"]).await;
        assert_eq!(ended, Some(2), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_its_own_is_made_once_and_its_fingerprint_told() {
    let config = format!("[tls]\nself_signed = true\n{PATTERN}");
    let folder = Program::folder();
    let file = folder.path().join("state/eyelid/tls/self-signed.pem");
    let mut fingerprints = Vec::new();
    for _ in 0..2 {
        let command = Program::command(&folder, &config, &["--listen", "127.0.0.1:0"]);
        let mut program = Program::watch(command, Program::folder()).await;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let stream = connect_tls(program.address, &file, None).await.unwrap();
        let certificate = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        let hex: Vec<_> = Sha256::digest(&certificate).iter().map(|byte| format!("{byte:02X}")).collect();
        logged(&program, &hex.join(":")).await;
        fingerprints.push(hex.join(":"));
        program.signal(Signal::TERM);
        assert_eq!(program.end().await.code(), Some(0));
    }
    assert_eq!(fingerprints[0], fingerprints[1], "it is kept");
    let mut check = Program::command(&folder, &config, &["check"]);
    let said = String::from_utf8(check.output().await.unwrap().stdout).unwrap();
    assert!(said.contains(&fingerprints[0]) && said.contains("https://"), "{said}");
}
