//! `/api/cameras/NAME/controls`: what can be set of a camera, and setting it.

use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::Stream;
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::{Map, Value as Json};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    api, body,
    error::{self, Refusal},
};
use crate::{
    camera::{
        Camera,
        controls::{Panel, SetError, Wanted},
    },
    controls::Settings,
};

/// The methods that it answers.
pub(super) const METHODS: &str = "GET, HEAD, PATCH, DELETE";

/// Tells, sets, or takes all back to its default.
pub(super) async fn controls<B: Buf, E>(
    camera: &Camera,
    method: &Method,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Response<Bytes> {
    let wanted = match *method {
        Method::PATCH => match body::read(headers, body).await.and_then(|body| settings(&body)) {
            Ok(settings) => Wanted::These(settings),
            Err(refusal) => return *refusal,
        },
        Method::DELETE => Wanted::Defaults,
        _ => return api::answer(&camera.controls().borrow().to_json()),
    };
    match camera.set_controls(wanted).await {
        Ok(panel) => api::answer(&panel.to_json()),
        Err(refused) => not_set(&refused),
    }
}

fn not_set(refused: &SetError) -> Response<Bytes> {
    let (status, hint) = match refused {
        SetError::Refused(refusal) => (StatusCode::UNPROCESSABLE_ENTITY, refusal.hint.as_str()),
        SetError::Unknown => (StatusCode::CONFLICT, "watch it once; snapshot.jpg is enough"),
        SetError::Off(_) => (StatusCode::CONFLICT, "watch the camera while you ask"),
        SetError::Closed => (StatusCode::SERVICE_UNAVAILABLE, "ask again in a moment"),
    };
    error::json(status, &format!("nothing is set: {refused}"), hint)
}

fn refuse(status: StatusCode, error: &str, hint: &str) -> Refusal {
    Box::new(error::json(status, error, hint))
}

fn settings(body: &[u8]) -> Result<Settings, Refusal> {
    const FORM: &str = "send an object of names and values, such as {\"brightness\": 10, \"contrast\": null}; \
                        null is the default";
    let asked: Map<String, Json> = serde_json::from_slice(body).map_err(|wrong| {
        let error = format!("the body is no JSON object: {wrong}");
        refuse(StatusCode::BAD_REQUEST, &error, FORM)
    })?;
    let mut settings = Settings::new();
    for (id, value) in asked {
        let value = match value {
            Json::Null => None,
            Json::Array(_) | Json::Object(_) => {
                let error = format!("nothing is set: {id} can't be a list or an object");
                return Err(refuse(StatusCode::UNPROCESSABLE_ENTITY, &error, FORM));
            }
            value => Some(serde_json::from_value(value).expect("a value is one of these")),
        };
        settings.insert(id, value);
    }
    Ok(settings)
}

/// Between two panels that viewers are told of, while somebody drags a slider.
const PAUSE: Duration = Duration::from_millis(200);

/// The panels of one camera that are worth telling, from now on.
pub(super) struct Panels {
    panel: watch::Receiver<Panel>,
    told: Panel,
    last_told: Instant,
    due: Option<Instant>,
}

impl Panels {
    pub(super) fn of(camera: &Camera) -> Self {
        let mut panel = camera.controls();
        let told = panel.borrow_and_update().clone();
        Self { panel, told, last_told: Instant::now(), due: None }
    }

    /// The next one; nothing when the camera is gone. May be given up at any time and asked for again.
    pub(super) async fn next(&mut self) -> Option<Json> {
        loop {
            tokio::select! {
                changed = self.panel.changed() => {
                    changed.ok()?;
                    if self.panel.borrow_and_update().differs_to_viewers(&self.told) {
                        self.due.get_or_insert((self.last_told + PAUSE).max(Instant::now()));
                    }
                }
                () = sleep_until(self.due.unwrap_or_else(Instant::now)), if self.due.is_some() => {
                    self.due = None;
                    self.last_told = Instant::now();
                    self.told = self.panel.borrow().clone();
                    return Some(self.told.to_json());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_body_is_told() {
        for (body, status, told) in [
            ("", 400, "no JSON object"),
            ("[]", 400, "no JSON object"),
            ("{\"a\": 1", 400, "EOF"),
            ("{\"a\": 1} {}", 400, "trailing"),
            ("{\"a\": [1]}", 422, "a can't be a list"),
        ] {
            let refusal = settings(body.as_bytes()).unwrap_err();
            assert_eq!(refusal.status(), status, "{body}");
            let text = String::from_utf8_lossy(refusal.body()).into_owned();
            assert!(text.contains(told) && text.contains("hint\":\"send"), "{text}");
        }
        assert_eq!(settings(b"{}").unwrap(), Settings::new());
    }

    proptest! {
        #[test]
        fn no_body_panics(body in ".*", number in any::<f64>(), large in any::<u64>()) {
            let _ = settings(body.as_bytes());
            let body = serde_json::json!({ "a": number, "b": large, "c": body });
            prop_assert!(settings(body.to_string().as_bytes()).is_ok());
        }
    }
}
