//! Transfers against a server that does as it is told: breaks off, refuses, lies about lengths.

use std::collections::VecDeque;
use std::sync::Mutex;

use estoile_wire::id::CertificateHash;
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// What the server does with one connection.
enum Act {
    /// Reads the head and so many bytes of a body, says this, and hangs up.
    Say(usize, Vec<u8>),
}

type Heard = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A server with a script, and what it heard.
async fn server(script: Vec<Act>) -> (Place, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = RelayAddress { host: "127.0.0.1".into(), port, tls: false, pin: None };
    let heard = Heard::default();
    let telling = Arc::clone(&heard);
    tokio::spawn(async move {
        let mut script = VecDeque::from(script);
        while let Some(Act::Say(body, words)) = script.pop_front() {
            let (socket, _) = listener.accept().await.unwrap();
            let said = listen(socket, body, &words).await;
            telling.lock().unwrap().push(said);
        }
    });
    (Place { address, hash: [0xab; 32], certificate: None }, heard)
}

async fn listen(mut socket: TcpStream, body: usize, words: &[u8]) -> (String, Vec<u8>) {
    let mut said = Vec::new();
    let end = loop {
        if let Some(at) = said.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        let mut some = [0; 1000];
        let n = socket.read(&mut some).await.unwrap();
        assert!(n > 0, "it hung up in its head");
        said.extend_from_slice(&some[..n]);
    };
    while said.len() < end + body {
        let mut some = vec![0; end + body - said.len()];
        let n = socket.read(&mut some).await.unwrap();
        assert!(n > 0, "it hung up in its body");
        said.extend_from_slice(&some[..n]);
    }
    socket.write_all(words).await.unwrap();
    let body = said.split_off(end);
    (String::from_utf8(said).unwrap(), body)
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from(at % 253).unwrap()).collect()
}

#[tokio::test]
async fn a_put_goes_on_where_the_relay_says() {
    let bytes = content(3_000);
    let script = vec![
        Act::Say(
            2_000,
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 409 Conflict\r\ncontent-length: 4\r\n\r\n2500".to_vec(),
        ),
        Act::Say(500, answer("200 OK", b"3000")),
    ];
    let (place, heard) = server(script).await;
    put(&place, [7; 32], 1_000, bytes.clone().into()).await.unwrap();
    let heard = heard.lock().unwrap();
    let (head, body) = &heard[0];
    assert!(head.starts_with(&format!("PUT /v1/blob/{} HTTP/1.1\r\n", "ab".repeat(32))), "{head}");
    assert!(head.contains("content-range: bytes 1000-2999/3000\r\n"), "{head}");
    assert!(head.contains(&format!("authorization: Bearer {}\r\n", BASE64URL_NOPAD.encode(&[7; 32]))), "{head}");
    assert_eq!(*body, bytes[1_000..]);
    assert!(heard[1].0.contains("content-range: bytes 2500-2999/3000\r\n"));
    assert_eq!(heard[1].1, bytes[2_500..]);
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_put_is_heard() {
    for (status, later) in [("401 Unauthorized", true), ("422 Unprocessable", false), ("400 Bad", false)] {
        // The rest of the body is never read.
        let (place, _) = server(vec![Act::Say(10, answer(status, b""))]).await;
        let result = put(&place, [7; 32], 0, content(4 << 20).into()).await;
        assert!(
            matches!((&result, later), (Err(BlobError::Later(_)), true) | (Err(BlobError::Never(_)), false)),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn a_relay_that_has_no_time_is_asked_again_and_then_no_more() {
    let busy = || Act::Say(0, answer("503 Service Unavailable", b""));
    let (place, heard) = server(vec![busy(), busy(), Act::Say(5, answer("200 OK", b"5"))]).await;
    put(&place, [7; 32], 0, content(5).into()).await.unwrap();
    assert_eq!(heard.lock().unwrap().len(), 3);
    let (place, _) = server(vec![busy(), busy(), busy()]).await;
    let refused = put(&place, [7; 32], 0, content(5).into()).await;
    assert!(matches!(refused, Err(BlobError::Later(why)) if why.contains("503")));
}

#[tokio::test]
async fn a_get_that_breaks_off_goes_on() {
    let bytes = content(100_000);
    let first = [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".as_slice(), &bytes[..70_000]].concat();
    let script = vec![Act::Say(0, first), Act::Say(0, answer("206 Partial Content", &bytes[70_000..]))];
    let (place, heard) = server(script).await;
    assert_eq!(get(&place, 100_000).await.unwrap(), bytes);
    let heard = heard.lock().unwrap();
    assert!(heard[0].0.starts_with("GET /v1/blob/") && !heard[0].0.contains("range"));
    assert!(heard[1].0.contains("range: bytes=70000-\r\n"), "{}", heard[1].0);
}

#[tokio::test]
async fn a_get_takes_no_more_and_no_less_than_it_should() {
    for (says, why) in [
        (answer("200 OK", &content(11)), "not as long"),
        (answer("200 OK", &content(9)), "not as long"),
        (b"HTTP/1.1 200 OK\r\n\r\n0123456789".to_vec(), "not as long"),
        (answer("404 Not Found", b""), "does not have it"),
        (b"SSH-2.0-hello\r\n\r\n".to_vec(), "does not speak HTTP"),
        (vec![b'x'; HEAD + 2_000], "does not speak HTTP"),
    ] {
        let (place, _) = server(vec![Act::Say(0, says)]).await;
        let result = get(&place, 10).await;
        assert!(matches!(&result, Err(BlobError::Never(text)) if text.contains(why)), "{why}: {result:?}");
    }
    let (place, heard) = server(vec![]).await;
    assert!(matches!(get(&place, LARGEST + 1).await, Err(BlobError::Never(_))));
    assert!(heard.lock().unwrap().is_empty());
}

/// Whoever answers without the certificate that the session showed gets neither the token nor the address.
#[tokio::test]
async fn another_certificate_is_told_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = RelayAddress { host: "127.0.0.1".into(), port, tls: false, pin: None };
    let shown = SeenCertificate { hash: CertificateHash([1; 32]), publicly_trusted: false };
    let place = Place { address, hash: [0xab; 32], certificate: Some(shown) };
    let listening = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        let _ = socket.read_to_end(&mut heard).await;
        heard
    });
    let refused = put(&place, [7; 32], 0, content(5).into()).await;
    assert!(matches!(refused, Err(BlobError::Later(why)) if why.contains("certificate")));
    assert!(listening.await.unwrap().is_empty());
}
