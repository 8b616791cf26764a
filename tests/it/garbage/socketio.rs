//! Garbage as Socket.IO.

use serde_json::json;
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::{Stage, noise};
use crate::support::{Browser, Manner, Polling, exchange, request};

#[tokio::test(flavor = "multi_thread")]
async fn in_every_packet_over_a_websocket() {
    let stage = Stage::set().await;
    let events = ["start-stream", "stop-stream", "clock", "liveStream", "state", "disconnect"];
    let data = [
        json!(null),
        json!(-1),
        json!(1e308),
        json!("x".repeat(10_000)),
        json!([[[[[]]]]]),
        json!({"a": {"b": null}}),
        json!({"_placeholder": true, "num": 0}),
        json!({"_placeholder": true, "num": -1}),
    ];
    let mut packets: Vec<Message> = events
        .iter()
        .flat_map(|event| data.iter().map(move |data| Message::text(format!("42{}", json!([event, data])))))
        .collect();
    for text in [
        "",
        "0",
        "1",
        "2",
        "2probe",
        "3",
        "5",
        "6",
        "7",
        "9",
        "x",
        "4",
        "40",
        "40/",
        "40/tank",
        "40/pond,",
        "40{",
        "40[]",
        "40\u{0}",
        "41",
        "41/tank,",
        "41/nowhere,",
        "42",
        "42[",
        "42{}",
        "42[]",
        "42[1]",
        "42[null]",
        "42[\"",
        "42/tank,[\"start-stream\"]",
        "4299999999999999999999[\"clock\"]",
        "42-1[\"clock\"]",
        "43",
        "430[]",
        "4399999999999999999999[]",
        "44",
        "44{}",
        "45",
        "451-[\"start-stream\",{\"_placeholder\":true,\"num\":0}]",
        "45999999-[\"x\"]",
        "450-[\"start-stream\"]",
        "451-/tank,7[\"x\",{\"_placeholder\":true,\"num\":9}]",
        "46",
        "461-0[{\"_placeholder\":true,\"num\":0}]",
        "47",
        "4\u{1f980}",
        "42[\"\u{1f980}\",\"\\ud800\"]",
        "42[\"start-stream\"",
        "40,",
        "40/tank,{\"watch\":\"maybe\"}",
        "40{\"watch\":[]}",
    ] {
        packets.push(Message::text(text));
    }
    packets.push(Message::text(format!("42[\"x\",{}1{}]", "[".repeat(7_000), "]".repeat(7_000))));
    packets.push(Message::text(format!("42[\"start-stream\",\"{}\"]", "x".repeat(20_000))));
    packets.push(Message::text("4".repeat(1 << 20)));
    for length in [0, 1, 2, 100, 16_000, 17_000, 1 << 20] {
        packets.push(Message::binary(noise(length, length as u64)));
    }
    packets.push(Message::Ping(Bytes::from(vec![0; 125])));
    packets.push(Message::Pong(Bytes::from(vec![0; 125])));
    packets.push(Message::Close(Some(CloseFrame {
        code: CloseCode::from(1000),
        reason: "x".repeat(100).into(),
    })));
    for (count, packet) in packets.into_iter().enumerate() {
        let protocol = if count % 2 == 0 { 4 } else { 3 };
        let rude = Browser::with(stage.daemon.address, Manner { protocol, ..Manner::observer() }).await;
        rude.send(packet.clone());
        // What one packet leaves behind, such as a binary event without its attachment, meets what comes next.
        for more in
            [Message::binary(vec![4, 1]), packet, Message::text("42[\"stop-stream\"]"), Message::text("41")]
        {
            rude.send(more);
        }
        if count % 10 == 0 {
            stage.goes_on().await;
        }
    }
    stage.daemon.until_it("tank", "one viewer", |state| state["viewers"] == 1).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_every_packet_over_polling() {
    let stage = Stage::set().await;
    let address = stage.daemon.address;
    for query in [
        "",
        "?",
        "?EIO=4",
        "?EIO=5&transport=polling",
        "?EIO=x&transport=polling",
        "?transport=polling",
        "?EIO=4&transport=",
        "?EIO=4&transport=polling&sid=",
        "?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA",
        "?EIO=4&transport=websocket",
        "?EIO=3&transport=polling&sid=\u{e9}",
        "?EIO=4&transport=polling&j=0",
        "?EIO=4&transport=polling&b64=1",
    ] {
        for (method, body) in
            [("GET", vec![]), ("POST", noise(1_000, 3)), ("PUT", vec![]), ("OPTIONS", vec![])]
        {
            let reply = request(address, method, &format!("/socket.io/{query}"), "", &body).await;
            assert!((200..500).contains(&reply.status), "{method} {query}: {}", reply.status);
        }
    }
    let bodies: Vec<Vec<u8>> = vec![
        vec![],
        b"40".to_vec(),
        b"\x1e\x1e\x1e".to_vec(),
        b"4".to_vec(),
        b"40\x1e40\x1e40".to_vec(),
        b"2:40".to_vec(),
        b"9999999:40".to_vec(),
        b"-1:40".to_vec(),
        b"0:".to_vec(),
        b":".to_vec(),
        b"b".to_vec(),
        b"bAAAA".to_vec(),
        b"b!!!!".to_vec(),
        b"\xff\xfe\xfd".to_vec(),
        b"\x00\x02\xff40".to_vec(),
        b"\x01\x09\x09\xff4".to_vec(),
        noise(16_000, 4),
        vec![b'4'; 100_000],
        vec![0x1e; 15_000],
        "4\u{1e}".repeat(5_000).into_bytes(),
    ];
    for protocol in [4, 3] {
        for body in &bodies {
            let polling = Polling::open(address, protocol).await;
            let path = format!("/socket.io/?EIO={protocol}&transport=polling&sid={}", polling.sid());
            for kind in ["text/plain", "application/octet-stream"] {
                let reply = request(address, "POST", &path, &format!("Content-Type: {kind}\r\n"), body).await;
                assert!(
                    (200..500).contains(&reply.status),
                    "{}: {:?}",
                    reply.status,
                    &body[..body.len().min(20)]
                );
            }
        }
        stage.goes_on().await;
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_websocket_frames() {
    let stage = Stage::set().await;
    let address = stage.daemon.address;
    let hello = format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let mut frames: Vec<Vec<u8>> = vec![
        b"\x81\x0240".to_vec(),
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0".to_vec(),
        b"\x89\xfe\x01\x00\0\0\0\0".to_vec(),
        b"\x00\x80\0\0\0\0".to_vec(),
        b"\x88\x81\0\0\0\0x".to_vec(),
        b"\x81\x82\0\0\0\0\xff\xfe".to_vec(),
        b"\x01\x80\0\0\0\0".repeat(5_000),
        b"\x89\x80\0\0\0\0".repeat(5_000),
    ];
    frames.extend((100..120).map(|seed| noise(500, seed)));
    for frame in frames {
        let bytes = [hello.as_bytes(), &frame].concat();
        exchange(address, &bytes).await;
    }
    stage.end().await;
}
