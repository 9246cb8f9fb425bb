//! The contract and a page to browse it: `/openapi.yaml`, `/openapi.json`, `/docs`.
//!
//! The page is Swagger UI out of the binary: it works without any network.

use crate::api::{Api, Endpoint, error::ApiError};
use actix_web::{
    HttpResponse,
    http::{Method, header},
    web,
};
use swagger_ui_redist::SwaggerUi;

/// The contract, as it is published.
pub const OPENAPI_YAML: &str = include_str!("../../openapi.yaml");

pub fn endpoints() -> Vec<Endpoint> {
    let get = |path, route| Endpoint { method: Method::GET, path, interaction: None, route };
    vec![
        get("/", || web::route().to(home)),
        get("/docs", || web::route().to(page)),
        get("/docs/{file}", || web::route().to(file)),
        get("/openapi.yaml", || web::route().to(openapi_yaml)),
        get("/openapi.json", || web::route().to(openapi_json)),
    ]
}

async fn home() -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, "/docs")).finish()
}

async fn openapi_yaml() -> HttpResponse {
    HttpResponse::Ok().content_type("application/yaml; charset=utf-8").body(OPENAPI_YAML)
}

async fn openapi_json(api: web::Data<Api>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(api.gateway.contract.document().to_string())
}

async fn page() -> Result<HttpResponse, ApiError> {
    let mut viewer = SwaggerUi::new();
    viewer.title("kap-gateway API");
    viewer.config().urls(["/openapi.json"]).use_base_layout().deep_linking(true).validator_url("none");
    for (file, _) in SwaggerUi::static_files() {
        viewer.override_file_path(*file, format!("/docs/{}", file.file_name()));
    }
    let html = viewer.serve().map_err(|_| ApiError::Unwritable)?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html))
}

async fn file(name: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let found = SwaggerUi::static_files().iter().find(|(file, _)| file.file_name() == name.as_str());
    let (file, bytes) = found.ok_or(ApiError::UnknownRoute)?;
    let content_type = match file.file_name().rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "png")) => "image/png",
        Some(_) | None => "application/octet-stream",
    };
    Ok(HttpResponse::Ok().content_type(content_type).body(*bytes))
}
