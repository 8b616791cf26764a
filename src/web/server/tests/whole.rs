//! Guard, page, Socket.IO engine and routes in one server, as the daemon puts them together.

use super::*;
use crate::camera::Cameras;
use crate::web::guard::{Guard, Hosts};
use crate::web::page::Page;
use futures_util::{SinkExt, StreamExt};
use socketioxide::SocketIo;
use socketioxide::extract::SocketRef;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, client::IntoClientRequest};
use tower::Layer;
use warp::Filter;

async fn start() -> (std::net::SocketAddr, CancellationToken, SocketIo, tokio::task::JoinHandle<()>) {
    let (engine, io) = SocketIo::builder().build_layer();
    io.ns("/", |_: SocketRef| std::future::ready(()));
    let page = Page::embedded();
    let files = page.clone();
    let assets = warp::path::full().and(warp::header::headers_cloned()).and(warp::method()).and_then(
        move |path: warp::path::FullPath, headers, method| {
            std::future::ready(
                files.asset(path.as_str(), &headers, &method).ok_or_else(warp::reject::not_found),
            )
        },
    );
    let (_names, hosts) = watch::channel(Hosts::new(&[]));
    let service = Guard::new(hosts, Cameras::new(Vec::new()))
        .layer(page.layer(engine.layer(warp::service(assets.boxed()))));
    let listener = bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(Doors::new(listener), service, Limits::default(), shutdown.clone()));
    (address, shutdown, io, task)
}

async fn answer_to(address: std::net::SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    rest(&mut stream).await
}

#[tokio::test]
async fn each_part_answers_for_its_own() {
    let (address, ..) = start().await;
    for (head, status, part) in [
        ("GET / HTTP/1.1\r\nhost: localhost", 200, "content-security-policy: default-src 'self'"),
        ("HEAD / HTTP/1.1\r\nhost: localhost", 200, "content-type: text/html"),
        ("GET /nowhere HTTP/1.1\r\nhost: localhost", 404, "x-content-type-options: nosniff"),
        ("GET /socket.io/socket.io.js HTTP/1.1\r\nhost: localhost", 200, "content-type: text/javascript"),
        ("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: localhost", 200, "\"sid\":"),
        ("GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nhost: localhost", 200, "\"sid\":"),
        ("GET / HTTP/1.1\r\nhost: evil.example", 421, "hosts = [\\\"evil.example\\\"]"),
        ("GET / HTTP/1.1", 400, "\"hint\":"),
        (
            "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.example",
            403,
            "another site",
        ),
        ("GET /socket.io/socket.io.js HTTP/1.1\r\nhost: evil.example", 421, "nosniff"),
    ] {
        let answer = answer_to(address, head).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(part),
            "{head}: {answer}"
        );
    }
    let head = answer_to(address, "HEAD / HTTP/1.1\r\nhost: localhost").await;
    assert!(head.ends_with("\r\n\r\n") && !head.contains("content-length: 0"), "{head}");
}

#[tokio::test]
async fn a_websocket_of_our_page_is_let_in_and_leaves_at_shutdown() {
    let (address, shutdown, io, server) = start().await;
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
    let request = |origin: String| {
        let mut request = url.as_str().into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request
    };
    match tokio_tungstenite::connect_async(request("http://evil.example".into())).await {
        Err(WsError::Http(response)) => assert_eq!(response.status(), StatusCode::FORBIDDEN),
        other => panic!("{other:?}"),
    }
    let (mut socket, _) =
        tokio_tungstenite::connect_async(request(format!("http://{address}"))).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().to_text().unwrap().starts_with("0{\"sid\""));
    socket.send(Message::text("40")).await.unwrap();
    // The engine's first ping may come before the answer.
    while !socket.next().await.unwrap().unwrap().to_text().unwrap().starts_with("40{\"sid\"") {}

    shutdown.cancel();
    io.close().await;
    while let Some(Ok(_)) = socket.next().await {}
    server.await.unwrap();
}
