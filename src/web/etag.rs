//! Does the client have it already?

use http::{HeaderMap, HeaderValue, header};

/// Whether `If-None-Match` names this entity tag, or any.
pub(super) fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let names = |known: &HeaderValue| {
        let Ok(known) = known.to_str() else { return false };
        known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
    };
    headers.get_all(header::IF_NONE_MATCH).iter().any(names)
}
