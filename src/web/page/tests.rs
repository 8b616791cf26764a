use super::*;
use std::os::unix::fs::symlink;

fn get(page: &Page, path: &str) -> Option<Response<Bytes>> {
    page.asset(path, &HeaderMap::new(), &Method::GET)
}

fn header_of<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn the_page_is_in_the_program() {
    let page = Page::embedded();
    let index = get(&page, "/").unwrap();
    assert_eq!(header_of(&index, "content-type"), "text/html; charset=utf-8");
    assert!(header_of(&index, "content-security-policy").starts_with("default-src 'self';"));
    for path in ["/index.html", "/cameras/tank/"] {
        assert_eq!(get(&page, path).unwrap().body(), index.body(), "{path}");
    }
    let policy = header_of(&index, "content-security-policy");
    for path in ["/access", "/guest", "/setup", "/sign-in", "/stats"] {
        let other = get(&page, path).unwrap();
        assert_ne!(other.body(), index.body(), "{path}");
        assert_eq!(other.body(), get(&page, &format!("{path}.html")).unwrap().body());
        assert_eq!(header_of(&other, "content-security-policy"), policy, "{path}");
    }
    assert_eq!(header_of(&get(&page, "/app.js").unwrap(), "content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header_of(&get(&page, "/style.css").unwrap(), "content-type"), "text/css; charset=utf-8");
    let client = page.socketio_client("/socket.io/socket.io.js", &HeaderMap::new(), &Method::GET).unwrap();
    assert!(client.body().len() > 10_000);
}

#[test]
fn a_browser_that_has_a_file_is_told_so() {
    let page = Page::embedded();
    let first = get(&page, "/").unwrap();
    let etag = header_of(&first, "etag").to_owned();
    assert_eq!(header_of(&first, "cache-control"), "no-cache");
    let ask = |known: &str| {
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, known.parse().unwrap())]);
        page.asset("/", &headers, &Method::GET).unwrap()
    };
    for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".into()] {
        let again = ask(&known);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(header_of(&again, "etag"), etag);
        assert!(again.body().is_empty());
    }
    for other in ["\"x\"", "", "x"] {
        assert_eq!(ask(other).status(), StatusCode::OK, "{other}");
    }
}

#[test]
fn head_is_get_without_the_body() {
    let page = Page::embedded();
    let (get, head) = (get(&page, "/").unwrap(), page.asset("/", &HeaderMap::new(), &Method::HEAD).unwrap());
    assert_eq!(get.headers(), head.headers());
    assert_eq!(header_of(&head, "content-length"), get.body().len().to_string());
    assert!(head.body().is_empty());
    assert!(page.asset("/", &HeaderMap::new(), &Method::POST).is_none());
}

#[test]
fn a_folder_is_read_anew_and_not_cached() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::folder(folder.path()).unwrap();
    assert!(get(&page, "/").is_none());
    for text in ["one", "two"] {
        fs::write(folder.path().join("index.html"), text).unwrap();
        let response = get(&page, "/").unwrap();
        assert_eq!(response.body(), text.as_bytes());
        assert_eq!((header_of(&response, "cache-control"), header_of(&response, "etag")), ("no-store", ""));
    }
    assert!(Page::folder(&folder.path().join("absent")).is_err());
    assert!(Page::folder(&folder.path().join("index.html")).is_err());
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("public");
    fs::create_dir_all(folder.join("sub")).unwrap();
    for file in ["secret.txt", "public/.hidden", "public/open.txt", "public/sub/deep.txt"] {
        fs::write(outside.path().join(file), "text").unwrap();
    }
    symlink("../secret.txt", folder.join("link.txt")).unwrap();
    symlink("..", folder.join("up")).unwrap();
    symlink("open.txt", folder.join("inner.txt")).unwrap();
    // Reading this one would never end.
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, folder.join("pipe"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let page = Page::folder(&folder).unwrap();
    for path in ["/open.txt", "/sub/deep.txt", "/inner.txt"] {
        assert!(get(&page, path).is_some(), "{path}");
    }
    for path in [
        "",
        "open.txt",
        "//open.txt",
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/sub/./deep.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..\\secret.txt",
        "/link.txt",
        "/up/secret.txt",
        "/up/public/../secret.txt",
        "/.hidden",
        "/pipe",
        "/sub",
        "/sub/",
        "/open.txt/",
        "/open.txt\0",
        "/cameras/../",
        "/cameras//",
    ] {
        assert!(get(&page, path).is_none(), "{path:?}");
    }
}

#[test]
fn the_engine_keeps_its_own_paths() {
    let page = Page::embedded();
    for path in
        ["/socket.io/", "/socket.io", "/socket.io/?EIO=4", "/socket.io/x.js", "/vendor/socket.io.min.js"]
    {
        assert!(page.socketio_client(path, &HeaderMap::new(), &Method::GET).is_none(), "{path}");
    }
    let post = page.socketio_client("/socket.io/socket.io.js", &HeaderMap::new(), &Method::POST);
    assert!(post.is_none());
}
