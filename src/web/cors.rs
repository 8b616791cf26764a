//! Pages of other sites that the owner of a camera lets show its pictures: its key `origins`.
//!
//! A browser names the site of a page in `Origin` where the page wants to read what it gets, and for WebSockets.
//! For what a page only shows, as an `<img>` does, there is no `Origin`; then `Referer` tells. Who has neither is
//! no known site.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::config::Origins;

pub(super) const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// The site of the page that a request comes from, as far as the browser tells it.
fn site(headers: &HeaderMap) -> Option<&str> {
    if let Some(origin) = headers.get(header::ORIGIN) {
        return origin.to_str().ok();
    }
    let page = headers.get(header::REFERER)?.to_str().ok()?;
    let host = page.find("://")? + 3;
    let end = page[host..].find(['/', '?', '#']).map_or(page.len(), |end| host + end);
    Some(&page[..end])
}

/// Whether the page that a request comes from is one of those that are let in.
pub(super) fn allowed(origins: &Origins, headers: &HeaderMap) -> bool {
    origins.any() || site(headers).is_some_and(|site| origins.allow(site))
}

/// Tells a browser which pages may have this answer.
pub(super) fn tell<B>(response: &mut Response<B>, origins: &Origins, asked: &HeaderMap) {
    if origins.is_empty() {
        return;
    }
    let headers = response.headers_mut();
    if !origins.any() {
        headers.append(header::VARY, HeaderValue::from_static("origin, referer"));
    }
    if !allowed(origins, asked) {
        return;
    }
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    // Without one it is shown, not read.
    let Some(who) = reader(origins, asked) else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, who);
    let exposed = HeaderValue::from_static("etag, retry-after, x-eyelid-live, x-timestamp");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

/// Who may read what was asked for, as an answer says it; nobody where the request is not a page's that is let in.
pub(super) fn reader(origins: &Origins, asked: &HeaderMap) -> Option<HeaderValue> {
    let origin = asked.get(header::ORIGIN);
    match origin {
        _ if origins.any() => Some(HeaderValue::from_static("*")),
        Some(origin) => allowed(origins, asked).then(|| origin.clone()),
        None => None,
    }
}

/// Tells a browser that one page may have this answer, or `*` that all may.
pub(super) fn share(headers: &mut HeaderMap, reader: HeaderValue) {
    if reader != "*" {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, reader);
}

/// The answer to a browser that asks, before it sends a request for a page, whether it may.
pub(super) fn preflight(methods: &'static str, allowed: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    // Chrome asks for this where the page is from the internet and the camera is not.
    headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        list.iter().map(pair).collect()
    }

    #[test]
    fn a_site_is_that_of_the_origin_and_else_of_the_referer() {
        for (list, expected) in [
            (&[("origin", "http://a.example:5000")][..], Some("http://a.example:5000")),
            (&[("origin", "http://a.example"), ("referer", "http://b.example/")], Some("http://a.example")),
            (&[("origin", "null"), ("referer", "http://b.example/")], Some("null")),
            (&[("referer", "http://b.example/page?x")], Some("http://b.example")),
            (&[("referer", "http://b.example:5000?x")], Some("http://b.example:5000")),
            (&[("referer", "http://b.example")], Some("http://b.example")),
            // An address that has the name of a site in it is not that site's.
            (&[("referer", "http://a.example@b.example/")], Some("http://a.example@b.example")),
            (&[("referer", "about:blank")], None),
            (&[], None),
        ] {
            assert_eq!(site(&headers(list)), expected, "{list:?}");
        }
    }

    #[test]
    fn only_who_is_let_in_is_told_so() {
        let told = |origins: &[&str], asked: &[(&'static str, &'static str)]| {
            let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
            let mut response = Response::new(());
            tell(&mut response, &origins, &headers(asked));
            let value = |name: &str| {
                response
                    .headers()
                    .get(name)
                    .map(|value| value.to_str().unwrap().to_owned())
                    .unwrap_or_default()
            };
            ["access-control-allow-origin", "cross-origin-resource-policy", "vary"].map(value)
        };
        let a = ("origin", "http://a.example");
        let shown = ("referer", "http://a.example/");
        let other = ("origin", "http://b.example");
        assert_eq!(told(&[], &[a]), ["", "", ""]);
        assert_eq!(
            told(&["http://a.example"], &[a]),
            ["http://a.example", "cross-origin", "origin, referer"]
        );
        assert_eq!(told(&["http://a.example"], &[shown]), ["", "cross-origin", "origin, referer"]);
        assert_eq!(told(&["http://a.example"], &[other]), ["", "", "origin, referer"]);
        assert_eq!(told(&["http://a.example"], &[]), ["", "", "origin, referer"]);
        assert_eq!(told(&["*"], &[other]), ["*", "cross-origin", ""]);
        assert_eq!(told(&["*"], &[]), ["*", "cross-origin", ""]);
    }
}
