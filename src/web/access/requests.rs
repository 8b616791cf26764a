//! The API of access: choosing, signing in and out, sessions, app passwords and guest links.

use std::{net::SocketAddr, time::Duration};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Needs, Visitor, visitor::COOKIE};
use crate::{
    access::{
        Access, Choice, Credential, LONGEST, LONGEST_LINK, MOST_GUESTS, MOST_KEYS, NewLink, Refused,
        SHORTEST, SIGNED_IN, Who,
    },
    camera::Cameras,
    config::CameraName,
    token::TokenHash,
    web::{
        addresses::addresses,
        api, body,
        error::{self, Refusal},
        route::Route,
    },
};

/// Where links of this daemon lead.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    pub(crate) listen: SocketAddr,
    pub(crate) tls: bool,
}

impl Links {
    /// The links with which the owner chooses, the best first.
    pub(crate) fn setup(&self, access: &Access) -> std::io::Result<Vec<String>> {
        let code = access.code()?;
        Ok(addresses(self.listen, self.tls).iter().map(|address| format!("{address}/setup#{code}")).collect())
    }

    /// Where whoever asks finds this daemon.
    fn base(&self, visitor: &Visitor, headers: &HeaderMap) -> String {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        match host.filter(|_| visitor.client.address.is_some()) {
            Some(host) => format!("{}://{host}", if visitor.client.tls { "https" } else { "http" }),
            None => addresses(self.listen, self.tls).swap_remove(0),
        }
    }
}

/// Answers a request for one of these routes; nothing for others.
pub(in crate::web) async fn answer<B: Buf, E>(
    route: &Route<'_>,
    visitor: &Visitor,
    cameras: &Cameras,
    links: &Links,
    method: &Method,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Response<Bytes> {
    let access = &visitor.access;
    let post = *method == Method::POST;
    let answer = match route {
        Route::Access => Ok(api::answer(&about(visitor, cameras))),
        Route::Setup if post => set_up(visitor, headers, body).await,
        Route::Setup => tell_setup(visitor, links),
        Route::Login => login(visitor, headers, body).await,
        Route::Logout => logout(visitor, headers, body).await,
        Route::Password => password(visitor, headers, body).await,
        Route::Sessions => Ok(api::answer(&sessions(visitor))),
        Route::Session(id) => done(access.end_session(id).await),
        Route::Apps if post => add_app(access, headers, body).await,
        Route::Apps => Ok(api::answer(&apps(access))),
        Route::App(id) => done(access.remove_app(id).await),
        Route::Links if post => add_link(visitor, cameras, links, headers, body).await,
        Route::Links => Ok(api::answer(&guest_links(access))),
        Route::Link(id) => done(access.remove_link(id).await),
        Route::Guest => guest(visitor, headers, body).await,
        _ => Err(Box::new(error::json(StatusCode::NOT_FOUND, "there is nothing here", None))),
    };
    answer.unwrap_or_else(|refusal| *refusal)
}

fn about(visitor: &Visitor, cameras: &Cameras) -> Value {
    let who = visitor.who();
    let look = visitor.may(Needs::LookAtAny);
    let only = match &who {
        Who::Viewer(only) => only.as_ref().filter(|name| cameras.get(name.as_str()).is_some()),
        _ => None,
    };
    json!({
        "mode": visitor.mode().as_str(),
        "who": who.as_str(),
        "tls": visitor.client.tls,
        "may": { "look": look, "manage": visitor.may_manage(), "keys": visitor.may(Needs::Keys) },
        "camera": only,
    })
}

fn tell_setup(visitor: &Visitor, links: &Links) -> Result<Response<Bytes>, Refusal> {
    let found = links.setup(&visitor.access).map_err(|error| refused(Refused::NotKept(error)))?;
    Ok(api::answer(&json!({ "mode": visitor.mode().as_str(), "links": found })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetUp {
    code: String,
    password: Option<String>,
    #[serde(default)]
    open: bool,
}

async fn set_up<B: Buf, E>(
    visitor: &Visitor,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Result<Response<Bytes>, Refusal> {
    const FORM: &str =
        "send {\"code\": \"…\", \"password\": \"…\"}, or \"open\": true in place of the password";
    let SetUp { code, password, open } = body::json(headers, body, FORM).await?;
    let choice = match (password, open) {
        (Some(password), false) => Choice::Password(password),
        (None, true) => Choice::Open,
        _ => {
            let error = "one of a password and \"open\": true is wanted";
            return Err(Box::new(error::json(StatusCode::UNPROCESSABLE_ENTITY, error, FORM)));
        }
    };
    let token = visitor.access.set_up(&code, choice, visitor.browser(headers)).await.map_err(refused)?;
    tracing::info!(mode = visitor.mode().as_str(), "the owner has chosen who may look");
    let mut response = api::answer(&json!({ "ok": true, "mode": visitor.mode().as_str() }));
    if let Some(token) = token {
        set_cookie(&mut response, visitor, &token, SIGNED_IN);
    }
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    password: String,
}

async fn login<B: Buf, E>(
    visitor: &Visitor,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Result<Response<Bytes>, Refusal> {
    let Login { password } = body::json(headers, body, "send {\"password\": \"…\"}").await?;
    let browser = visitor.browser(headers);
    let from = visitor.client.to_string();
    let token = visitor.access.login(password, browser, visitor.credential).await.map_err(|why| {
        match &why {
            Refused::WrongPassword => {
                tracing::warn!(%from, "somebody tried to sign in with a wrong password");
            }
            Refused::TooManyGuesses(_) => {
                tracing::debug!(%from, "a password was not looked at: too many wrong ones");
            }
            _ => {}
        }
        refused(why)
    })?;
    tracing::info!(%from, "the owner has signed in");
    let mut response = api::answer(&json!({ "ok": true }));
    set_cookie(&mut response, visitor, &token, SIGNED_IN);
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Logout {
    #[serde(default)]
    everywhere: bool,
}

async fn logout<B: Buf, E>(
    visitor: &Visitor,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Result<Response<Bytes>, Refusal> {
    let Logout { everywhere } = body::json(headers, body, "send {} or {\"everywhere\": true}").await?;
    if everywhere && !visitor.may(Needs::Keys) {
        let error = "only the owner ends all sessions";
        return Err(Box::new(error::json(StatusCode::FORBIDDEN, error, "sign in first")));
    }
    visitor.access.logout(visitor.credential, everywhere).await.map_err(refused)?;
    let mut response = api::answer(&json!({ "ok": true }));
    set_cookie(&mut response, visitor, "", Duration::ZERO);
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Password {
    old: String,
    new: String,
}

async fn password<B: Buf, E>(
    visitor: &Visitor,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Result<Response<Bytes>, Refusal> {
    let Password { old, new } = body::json(headers, body, "send {\"old\": \"…\", \"new\": \"…\"}").await?;
    let from = visitor.client.address;
    done(visitor.access.change_password(old, new, from, visitor.credential).await)
}

fn sessions(visitor: &Visitor) -> Value {
    let own = |token: TokenHash| visitor.credential == Credential::Session(token);
    let sessions = visitor.access.sessions();
    let all = sessions.iter().map(|session| {
        json!({
            "id": session.id, "this": own(session.token), "link": session.link,
            "since_ms": session.since_ms, "seen_ms": session.seen_ms, "until_ms": session.until_ms,
            "from": session.from, "agent": session.agent,
        })
    });
    json!({ "sessions": all.collect::<Vec<_>>() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewApp {
    name: String,
}

async fn add_app<B: Buf, E>(
    access: &Access,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Result<Response<Bytes>, Refusal> {
    const FORM: &str = "send {\"name\": \"OctoPrint\"}";
    let NewApp { name } = body::json(headers, body, FORM).await?;
    let name = named(&name, FORM)?;
    let (password, app) = access.add_app(name).await.map_err(refused)?;
    Ok(api::answer(&json!({ "id": app.id, "name": app.name, "password": password })))
}

fn apps(access: &Access) -> Value {
    let apps = access.apps();
    let all = apps.iter().map(
        |app| json!({ "id": app.id, "name": app.name, "since_ms": app.since_ms, "seen_ms": app.seen_ms }),
    );
    json!({ "apps": all.collect::<Vec<_>>() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedLink {
    for_ms: u64,
    viewers: u32,
    #[serde(default)]
    camera: Option<CameraName>,
    #[serde(default)]
    name: String,
}

async fn add_link<B: Buf, E>(
    visitor: &Visitor,
    cameras: &Cameras,
    links: &Links,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Result<Response<Bytes>, Refusal> {
    const FORM: &str =
        "send {\"for_ms\": 7200000, \"viewers\": 3, \"camera\": \"door\"}; camera null is all of them";
    let asked: AskedLink = body::json(headers, body, FORM).await?;
    let wrong = |error: String| Box::new(error::json(StatusCode::UNPROCESSABLE_ENTITY, &error, FORM));
    let lasts = Duration::from_millis(asked.for_ms);
    if lasts.is_zero() || lasts > LONGEST_LINK {
        return Err(wrong("a guest link is good for a year at most, and for a moment at least".into()));
    }
    if asked.viewers == 0 || asked.viewers > MOST_GUESTS {
        return Err(wrong(format!("by a guest link 1 to {MOST_GUESTS} browsers may come in")));
    }
    if let Some(name) = asked.camera.as_ref().filter(|name| cameras.get(name.as_str()).is_none()) {
        let hint =
            "camera is its name in the configuration; where there is none, the link is for all of them";
        let error = format!("there is no camera {name}");
        return Err(Box::new(error::json(StatusCode::UNPROCESSABLE_ENTITY, &error, hint)));
    }
    let name = if asked.name.is_empty() { String::new() } else { named(&asked.name, FORM)? };
    let new = NewLink { name, camera: asked.camera, lasts, viewers: asked.viewers };
    let (token, link) = visitor.access.add_link(new).await.map_err(refused)?;
    let url = format!("{}/guest#{token}", links.base(visitor, headers));
    Ok(api::answer(&json!({
        "id": link.id, "name": link.name, "camera": link.camera, "until_ms": link.until_ms,
        "viewers": link.viewers, "used": 0, "url": url,
    })))
}

fn guest_links(access: &Access) -> Value {
    let links = access.links();
    let all = links.iter().map(|link| {
        json!({
            "id": link.id, "name": link.name, "camera": link.camera, "since_ms": link.since_ms,
            "until_ms": link.until_ms, "viewers": link.viewers, "used": link.used,
        })
    });
    json!({ "links": all.collect::<Vec<_>>() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Guest {
    token: String,
}

async fn guest<B: Buf, E>(
    visitor: &Visitor,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Result<Response<Bytes>, Refusal> {
    let Guest { token } = body::json(headers, body, "send {\"token\": \"…\"}").await?;
    let browser = visitor.browser(headers);
    let (session, link) =
        visitor.access.redeem(&token, browser, visitor.credential).await.map_err(refused)?;
    tracing::info!(from = %visitor.client, link = link.id, "a guest has come in");
    let mut response = api::answer(&json!({ "camera": link.camera, "until_ms": link.until_ms }));
    let left = link.until_ms.saturating_sub(link.since_ms);
    // The owner who tries a link stays the owner.
    if let Some(session) = session.filter(|_| visitor.who() != Who::Owner) {
        set_cookie(&mut response, visitor, &session, Duration::from_millis(left));
    }
    Ok(response)
}

/// A name for people.
fn named(name: &str, form: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    let error = "a name has 1 to 100 characters on one line";
    Err(Box::new(error::json(StatusCode::UNPROCESSABLE_ENTITY, error, form)))
}

fn set_cookie(response: &mut Response<Bytes>, visitor: &Visitor, token: &str, lasts: Duration) {
    let secure = if visitor.client.tls { "; Secure" } else { "" };
    let lasts = lasts.as_secs();
    let cookie = format!("{COOKIE}={token}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Strict{secure}");
    let cookie = HeaderValue::from_str(&cookie).expect("a token is of hexadecimal digits");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
}

fn done(outcome: Result<(), Refused>) -> Result<Response<Bytes>, Refusal> {
    outcome.map(|()| api::answer(&json!({ "ok": true }))).map_err(refused)
}

fn refused(why: Refused) -> Refusal {
    let json = |status, error: &str, hint: &str| Box::new(error::json(status, error, hint));
    match why {
        Refused::BadPassword => json(
            StatusCode::UNPROCESSABLE_ENTITY,
            &format!("a password has {SHORTEST} to {LONGEST} characters"),
            "some words that don't belong together are a good one",
        ),
        Refused::WrongPassword => json(
            StatusCode::UNAUTHORIZED,
            "this is not the password",
            "forgotten? On the machine itself, sudo eyelid setup prints a link to choose another one",
        ),
        Refused::TooManyGuesses(pause) => too_many_guesses(pause),
        Refused::WrongCode => json(
            StatusCode::UNAUTHORIZED,
            "this setup link is not valid, or not any more",
            "on the machine itself, sudo eyelid setup prints one that is",
        ),
        Refused::NoPassword => json(
            StatusCode::CONFLICT,
            "there is no password to sign in with",
            "on the machine itself, sudo eyelid setup prints a link to choose one",
        ),
        Refused::Configured(rule) => json(
            StatusCode::CONFLICT,
            &format!("the configuration says access = \"{}\"", rule.as_str()),
            "change that key there to choose otherwise",
        ),
        Refused::WrongLink => json(
            StatusCode::UNAUTHORIZED,
            "this guest link is not valid, or not any more",
            "ask whoever gave it to you for another one",
        ),
        Refused::LinkUsedUp => json(
            StatusCode::FORBIDDEN,
            "as many guests have come by this link as it is for",
            "ask whoever gave it to you for another one",
        ),
        Refused::TooMany => {
            json(StatusCode::CONFLICT, &format!("there are {MOST_KEYS} of them already"), "revoke some first")
        }
        Refused::Unknown => {
            json(StatusCode::NOT_FOUND, "there is none with this id", "it may be gone already")
        }
        Refused::NotKept(error) => {
            tracing::error!("who may come in can't be kept: {error}");
            json(
                StatusCode::SERVICE_UNAVAILABLE,
                &format!("nothing is changed: it can't be kept ({error})"),
                "look whether there is room, and whether the state folder can be written",
            )
        }
    }
}

fn too_many_guesses(pause: Duration) -> Refusal {
    let seconds = pause.as_secs() + 1;
    let text = json!({
        "error": "there were too many wrong passwords",
        "hint": format!("wait {seconds} s; who is signed in stays so"),
        "retry_in_ms": u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
    });
    let mut refusal = api::answer(&text);
    *refusal.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    refusal.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    Box::new(refusal)
}
