//! The load harness: the same bytes from memory. A bare actix-web server, as the gateway's, without store and middleware.

use crate::AnyError;
use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

/// Path with query, and the body that is answered to it.
pub type Answers = HashMap<String, Vec<u8>>;

#[derive(Debug)]
pub struct FromMemory {
    pub address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl FromMemory {
    /// # Errors
    ///
    /// No port of the loopback address is free.
    pub fn start(answers: Answers) -> Result<Self, AnyError> {
        let answers: Arc<HashMap<String, web::Bytes>> =
            Arc::new(answers.into_iter().map(|(path, body)| (path, web::Bytes::from(body))).collect());
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let ran = rt::System::new().block_on(async move {
                let app =
                    move || App::new().app_data(web::Data::from(answers.clone())).default_service(web::to(answer));
                let server = HttpServer::new(app).disable_signals().listen(listener)?.run();
                // Whoever started it waits for it.
                let _ = sender.send(server.handle());
                server.await
            });
            if let Err(error) = ran {
                eprintln!("the answers from memory: {error}");
            }
        });
        Ok(Self { address, handle: receiver.recv()?, thread: Some(thread) })
    }
}

impl Drop for FromMemory {
    fn drop(&mut self) {
        // The order goes out when the future is made; its end shows in the thread's.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            // It has said what went wrong.
            let _ = thread.join();
        }
    }
}

async fn answer(request: HttpRequest, answers: web::Data<HashMap<String, web::Bytes>>) -> HttpResponse {
    let path = request.uri().path_and_query().map(|path| path.as_str()).unwrap_or_default();
    match answers.get(path) {
        Some(body) => HttpResponse::Ok().content_type("application/fhir+json; charset=utf-8").body(body.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}
