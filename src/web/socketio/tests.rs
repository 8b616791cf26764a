use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use std::{convert::Infallible, path::Path};
use tokio_util::sync::CancellationToken;
use tower::{Layer, Service};

use super::*;
use crate::{
    camera::process::Program,
    config::CameraConfig,
    web::{access::Door, forwarded::Client},
};

/// Below Socket.IO, where nothing of these tests comes.
#[derive(Clone)]
struct Nothing;

impl Service<Request<Full<Bytes>>> for Nothing {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        ready(Ok(Response::default()))
    }
}

/// One camera, and browsers that come by polling.
struct House<S> {
    announcer: Announcer,
    service: S,
    shutdown: CancellationToken,
}

fn house(
    folder: &Path,
) -> House<impl Service<Request<Full<Bytes>>, Response = Response<impl Body<Data = Bytes>>, Error = Infallible>>
{
    let config = config::Config::default();
    let camera = CameraConfig { name: "tank".parse().unwrap(), ..CameraConfig::default() };
    let (program, shutdown) = (Program::at("/nonexistent"), CancellationToken::new());
    let (camera, _) = Camera::start(camera, &folder.join("run"), folder, program, shutdown.clone()).unwrap();
    let cameras = Cameras::new(vec![camera]);
    let access = Access::open(folder, &config);
    let (announcer, layer) = Announcer::new(&config.socketio, cameras.clone(), &access);
    let service = Door::new(access, cameras).layer(layer.layer(Nothing));
    House { announcer, service, shutdown }
}

impl<S, B> House<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes>,
{
    async fn ask(&mut self, method: Method, sid: &str, body: &'static str) -> String {
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = format!("/socket.io/?EIO=4&transport=polling{sid}").parse().unwrap();
        // From the machine itself, who may do everything.
        request.extensions_mut().insert(Client { address: None, tls: false });
        let answer = self.service.call(request).await.unwrap();
        let Ok(body) = answer.into_body().collect().await else { panic!("no body") };
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    /// A browser comes, and its page has loaded. How it goes on talking, and what is known of it.
    async fn comes(&mut self) -> (String, SocketRef) {
        let open = self.ask(Method::GET, "", "").await;
        let open: Value = serde_json::from_str(open.trim_start_matches('0')).unwrap();
        let sid = format!("&sid={}", open["sid"].as_str().unwrap());
        self.ask(Method::POST, &sid, "40").await;
        while self.rooms().await.is_empty() {
            tokio::task::yield_now().await;
        }
        let [socket] = &self.io().sockets()[..] else { panic!("one browser is there") };
        (sid, socket.clone())
    }

    fn io(&self) -> &SocketIo {
        &self.announcer.io
    }

    /// The rooms that somebody is in.
    async fn rooms(&self) -> Vec<String> {
        let mut rooms = Vec::new();
        for room in [WATCHING, MANAGING] {
            rooms.extend(self.io().within(room).rooms().await.unwrap().into_iter().map(String::from));
        }
        rooms
    }
}

#[tokio::test]
async fn who_leaves_is_in_no_room_any_more_even_if_it_was_still_being_let_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = house(folder.path());
    let (sid, socket) = house.comes().await;
    // The handler that lets it in runs in a task of its own, here in the worst of moments.
    house.ask(Method::POST, &sid, "41").await;
    while !house.rooms().await.is_empty() {
        tokio::task::yield_now().await;
    }
    connected(house.io().clone(), socket.clone()).await;
    enter(&socket, WATCHING);
    assert_eq!(house.rooms().await, [""; 0]);
    house.shutdown.cancel();
}
