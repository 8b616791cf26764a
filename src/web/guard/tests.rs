use super::*;
use warp::Filter;

const OK: StatusCode = StatusCode::OK;
const BAD: StatusCode = StatusCode::BAD_REQUEST;
const MISDIRECTED: StatusCode = StatusCode::MISDIRECTED_REQUEST;
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;

fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

fn status_of(request: &Request<()>) -> StatusCode {
    let (_names, hosts) = watch::channel(Hosts::new(&["cam.example".into()]));
    match check(request, &hosts) {
        Ok(()) => OK,
        Err(refusal) => refusal.into_response().status(),
    }
}

#[test]
fn requests_to_our_names_only() {
    for (target, headers, expected) in [
        ("/", &[("host", "127.0.0.1:3000")][..], OK),
        ("/", &[("host", "Cam.Example.:3000")], OK),
        ("/", &[("host", "pi.local")], OK),
        ("/", &[("host", "evil.example")], MISDIRECTED),
        ("/", &[], BAD),
        ("/", &[("host", "")], BAD),
        ("/", &[("host", "a b")], BAD),
        ("/", &[("host", "l\u{f6}calhost")], BAD),
        ("/", &[("host", "localhost"), ("host", "localhost")], BAD),
        ("/", &[("host", "localhost"), ("host", "evil.example")], BAD),
        ("http://localhost/", &[("host", "localhost")], OK),
        ("http://localhost/", &[("host", "evil.example")], OK),
        ("http://evil.example/", &[("host", "localhost")], MISDIRECTED),
        ("http://user@localhost/", &[("host", "localhost")], BAD),
        ("http://localhost/", &[], BAD),
    ] {
        assert_eq!(status_of(&request("GET", target, headers)), expected, "{target} {headers:?}");
    }
}

#[test]
fn pages_of_ours_only() {
    let polling = "/socket.io/?EIO=4&transport=polling";
    for (host, origin, expected) in [
        ("localhost:3000", "http://localhost:3000", OK),
        ("localhost:3000", "http://LOCALHOST.:3000", OK),
        ("[::1]:3000", "http://[::1]:3000", OK),
        ("[::1]:3000", "http://[0:0::1]:3000", OK),
        ("cam.example", "https://cam.example", OK),
        ("cam.example", "http://cam.example", OK),
        ("cam.example:443", "https://cam.example", OK),
        ("cam.example:80", "http://cam.example", OK),
        ("cam.example", "https://cam.example:443", OK),
        ("cam.example:443", "http://cam.example", FORBIDDEN),
        ("localhost:3000", "http://localhost", FORBIDDEN),
        ("localhost:3000", "http://localhost:3001", FORBIDDEN),
        ("localhost", "http://localhost:3000", FORBIDDEN),
        ("localhost:3000", "http://127.0.0.1:3000", FORBIDDEN),
        ("localhost:3000", "http://evil.example", FORBIDDEN),
        ("localhost:3000", "http://localhost:3000.evil.example", FORBIDDEN),
        ("localhost:3000", "http://evil@localhost:3000", FORBIDDEN),
        ("localhost:3000", "http://localhost:3000/", FORBIDDEN),
        ("localhost:3000", "capacitor://localhost:3000", FORBIDDEN),
        ("localhost:3000", "localhost:3000", FORBIDDEN),
        ("localhost:3000", "null", FORBIDDEN),
        ("localhost:3000", "", FORBIDDEN),
        ("localhost:3000", "http://", FORBIDDEN),
        ("localhost:3000", "\u{f6}", FORBIDDEN),
    ] {
        for (method, target) in
            [("GET", polling), ("POST", polling), ("PUT", "/api/cameras/tank"), ("GET", "/")]
        {
            let request = request(method, target, &[("host", host), ("origin", origin)]);
            assert_eq!(status_of(&request), expected, "{method} {target}, host {host}, origin {origin}");
        }
    }
    let twice = [("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://localhost")];
    assert_eq!(status_of(&request("GET", polling, &twice)), FORBIDDEN);
}

#[test]
fn without_an_origin_the_browser_may_tell() {
    const LINK: &[(&str, &str)] = &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    const FRAME: &[(&str, &str)] = &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    const IMAGE: &[(&str, &str)] = &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
    const UPGRADE: &[(&str, &str)] = &[("upgrade", "websocket"), ("connection", "upgrade")];
    for (method, target, site, more, expected) in [
        ("GET", "/socket.io/", None, &[][..], OK),
        ("POST", "/socket.io/", None, &[], OK),
        ("GET", "/ws", None, UPGRADE, OK),
        ("GET", "/socket.io/", Some("same-origin"), &[], OK),
        ("GET", "/socket.io/", Some("none"), &[], OK),
        ("GET", "/socket.io", Some("same-site"), &[], FORBIDDEN),
        ("GET", "/socket.io/", Some("cross-site"), LINK, FORBIDDEN),
        ("POST", "/", Some("cross-site"), LINK, FORBIDDEN),
        ("GET", "/ws", Some("same-site"), UPGRADE, FORBIDDEN),
        ("GET", "/ws", Some("cross-site"), UPGRADE, FORBIDDEN),
        ("GET", "/", Some("cross-site"), LINK, OK),
        ("GET", "/", Some("cross-site"), FRAME, FORBIDDEN),
        ("GET", "/snapshot.jpg", Some("cross-site"), IMAGE, FORBIDDEN),
        ("HEAD", "/snapshot.jpg", Some("cross-site"), &[], FORBIDDEN),
        ("GET", "/snapshot.jpg", Some("same-site"), IMAGE, FORBIDDEN),
        ("GET", "/api/cameras", Some("same-site"), &[], FORBIDDEN),
        ("GET", "/", Some("same-site"), LINK, OK),
        ("GET", "/", Some("same-site"), FRAME, FORBIDDEN),
        ("GET", "/snapshot.jpg", Some("something new"), IMAGE, FORBIDDEN),
    ] {
        let mut headers = vec![("host", "localhost")];
        headers.extend(site.map(|site| ("sec-fetch-site", site)));
        headers.extend(more);
        assert_eq!(status_of(&request(method, target, &headers)), expected, "{method} {target} {headers:?}");
    }
}

#[test]
fn a_refusal_says_which_key_to_set() {
    let (_names, hosts) = watch::channel(Hosts::new(&[]));
    let refusal = check(&request("GET", "/", &[("host", "Cam.example:3000")]), &hosts).unwrap_err();
    let body: serde_json::Value = serde_json::from_slice(refusal.into_response().body()).unwrap();
    assert!(body["hint"].as_str().unwrap().contains(r#"hosts = ["cam.example"]"#), "{body}");
}

#[tokio::test]
async fn names_may_change_while_it_runs() {
    let (names, hosts) = watch::channel(Hosts::new(&[]));
    let mut service =
        Guard::new(hosts, Cameras::new(Vec::new())).layer(warp::service(warp::any().map(|| "through")));
    let to_cam = || request("GET", "/", &[("host", "cam.example")]).map(|()| Full::new(Bytes::new()));
    assert_eq!(service.call(to_cam()).await.unwrap().status(), MISDIRECTED);
    names.send_replace(Hosts::new(&["cam.example".into()]));
    let response = service.call(to_cam()).await.unwrap();
    assert_eq!(response.status(), OK);
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.headers()["cross-origin-resource-policy"], "same-origin");
    drop(names);
    assert_eq!(service.call(to_cam()).await.unwrap().status(), OK, "the last names count");
}
