//! Generates the client and server of the tonic example. The messages are Rust types, so the
//! build needs no `.proto` compiler.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let answer = Method::builder()
        .name("answer")
        .route_name("Answer")
        .input_type("crate::Question")
        .output_type("crate::Answer")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    let assistant = Service::builder()
        .name("Assistant")
        .package("shop")
        .method(answer)
        .build();
    Builder::new().compile(&[assistant]);
}
