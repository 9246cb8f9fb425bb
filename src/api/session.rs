//! The api room: who asks, and what of the store they see. Every handler that gives rows takes a `Session`; nothing else in
//! this room leads to them.

use crate::{
    api::{Api, error::ApiError},
    consent::{Context, Sight},
};
use actix_web::{FromRequest, HttpRequest, dev::Payload, http::StatusCode, web};
use std::{
    future::{Ready, ready},
    ops::Deref,
};

/// What handlers work with, and what the one who asks can see.
#[derive(Clone)]
pub struct Session {
    api: web::Data<Api>,
    rows: Sight,
}

impl Session {
    /// What the requester sees of what is stored.
    pub fn rows(&self) -> &Sight {
        &self.rows
    }
}

impl Deref for Session {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl FromRequest for Session {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    /// Nobody is asked who they are yet: access control makes the context of the request here.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let api = request.app_data::<web::Data<Api>>().cloned();
        let api = api.ok_or(ApiError::Framework(StatusCode::INTERNAL_SERVER_ERROR));
        ready(api.map(|api| Self { rows: api.door.sight(Context::unnamed()), api }))
    }
}
