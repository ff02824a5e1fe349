//! Expected spans of model calls and searches.

use opentelemetry::trace::SpanKind;
use serde_json::json;
use spanmux::genai::{Document, Message, Modality, Usage};

use crate::kinds::Row;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            make: |ai| {
                let call = ai
                    .generation("gpt-5-mini")
                    .provider("openai")
                    .server("api.openai.com", 443)
                    .temperature(0.5)
                    .top_p(0.9)
                    .top_k(40.0)
                    .reasoning_level("low")
                    .prompt("support", "3")
                    .metadata(json!({"tier": "gold"}))
                    .max_tokens(100)
                    .frequency_penalty(0.1)
                    .presence_penalty(0.2)
                    .seed(7)
                    .choices(2)
                    .stop_sequences(["END"])
                    .output_type("json")
                    .streaming()
                    .tools(["search"])
                    .input([
                        Message::user("Where is it?"),
                        Message::assistant("").tool_call("c-1", "search", json!({"id": 17})),
                        Message::tool("c-1", json!({"at": "home"})),
                    ])
                    .instructions("Be kind.")
                    .start();
                call.first_token();
                call.first_token();
                let usage = Usage::new(812, 96)
                    .cached(512)
                    .cache_written(8)
                    .reasoning(40)
                    .modality(Modality::Text, 700, 96)
                    .modality(Modality::Audio, 112, 0)
                    .costs(0.25, 0.5)
                    .cost(f64::NAN)
                    .cost(-1.0);
                call.usage(usage);
                call.finish_reason("stop");
                call.response_model("gpt-5-mini-2026");
                call.response_id("r-1");
                call.output(
                    Message::assistant("Here.")
                        .reasoning("hm")
                        .finish_reason("stop"),
                );
            },
            name: "chat gpt-5-mini",
            kind: SpanKind::Client,
            both: &[
                r#"metadata={"tier":"gold"}"#,
                "server.address=api.openai.com",
                "server.port=443",
            ],
            gen_ai: &[
                "gen_ai.operation.name=chat",
                "gen_ai.output.type=json",
                "gen_ai.prompt.name=support",
                "gen_ai.prompt.version=3",
                "gen_ai.provider.name=openai",
                "gen_ai.request.choice.count=2",
                "gen_ai.request.frequency_penalty=0.1",
                "gen_ai.request.max_tokens=100",
                "gen_ai.request.model=gpt-5-mini",
                "gen_ai.request.presence_penalty=0.2",
                "gen_ai.request.reasoning.level=low",
                "gen_ai.request.seed=7",
                r#"gen_ai.request.stop_sequences=["END"]"#,
                "gen_ai.request.stream=true",
                "gen_ai.request.temperature=0.5",
                "gen_ai.request.top_k=40",
                "gen_ai.request.top_p=0.9",
                r#"gen_ai.response.finish_reasons=["stop"]"#,
                "gen_ai.response.id=r-1",
                "gen_ai.response.model=gpt-5-mini-2026",
                "gen_ai.response.time_to_first_chunk=SECONDS",
                r#"gen_ai.tool.definitions=[{"name":"search","type":"function"}]"#,
                "gen_ai.usage.audio.input_tokens=112",
                "gen_ai.usage.cache_creation.input_tokens=8",
                "gen_ai.usage.cache_read.input_tokens=512",
                "gen_ai.usage.cache_write.input_tokens=8",
                "gen_ai.usage.cost=0.75",
                "gen_ai.usage.input_tokens=812",
                "gen_ai.usage.output_tokens=96",
                "gen_ai.usage.reasoning.output_tokens=40",
                "gen_ai.usage.text.input_tokens=700",
                "gen_ai.usage.text.output_tokens=96",
                "spanmux.cost.input=0.25",
                "spanmux.cost.output=0.5",
            ],
            open_inference: &[
                "llm.finish_reason=stop",
                r#"llm.invocation_parameters={"frequency_penalty":0.1,"max_tokens":100,"n":2,"presence_penalty":0.2,"reasoning_effort":"low","seed":7,"stop":["END"],"stream":true,"temperature":0.5,"top_k":40,"top_p":0.9}"#,
                "llm.cost.completion=0.5",
                "llm.cost.prompt=0.25",
                "llm.cost.total=0.75",
                "llm.model_name=gpt-5-mini",
                "llm.prompt_template.version=3",
                "llm.provider=openai",
                "llm.response.model_name=gpt-5-mini-2026",
                "llm.token_count.completion=96",
                "llm.token_count.completion_details.reasoning=40",
                "llm.token_count.prompt=812",
                "llm.token_count.prompt_details.audio=112",
                "llm.token_count.prompt_details.cache_read=512",
                "llm.token_count.prompt_details.cache_write=8",
                "llm.token_count.total=908",
                "llm.tools.0.tool.name=search",
                "openinference.span.kind=LLM",
            ],
            both_content: &[],
            gen_ai_content: &[
                concat!(
                    r#"gen_ai.input.messages=[{"parts":[{"content":"Where is it?","type":"text"}],"role":"user"},"#,
                    r#"{"parts":[{"arguments":{"id":17},"id":"c-1","name":"search","type":"tool_call"}],"role":"assistant"},"#,
                    r#"{"parts":[{"id":"c-1","response":{"at":"home"},"type":"tool_call_response"}],"role":"tool"}]"#,
                ),
                concat!(
                    r#"gen_ai.output.messages=[{"finish_reason":"stop","parts":[{"content":"Here.","type":"text"},"#,
                    r#"{"content":"hm","type":"reasoning"}],"role":"assistant"}]"#,
                ),
                r#"gen_ai.system_instructions=[{"content":"Be kind.","type":"text"}]"#,
            ],
            open_inference_content: &[
                "input.mime_type=application/json",
                concat!(
                    r#"input.value=[{"parts":[{"content":"Where is it?","type":"text"}],"role":"user"},"#,
                    r#"{"parts":[{"arguments":{"id":17},"id":"c-1","name":"search","type":"tool_call"}],"role":"assistant"},"#,
                    r#"{"parts":[{"id":"c-1","response":{"at":"home"},"type":"tool_call_response"}],"role":"tool"}]"#,
                ),
                "llm.input_messages.0.message.content=Be kind.",
                "llm.input_messages.0.message.role=system",
                "llm.input_messages.1.message.content=Where is it?",
                "llm.input_messages.1.message.role=user",
                "llm.input_messages.2.message.role=assistant",
                r#"llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments={"id":17}"#,
                "llm.input_messages.2.message.tool_calls.0.tool_call.function.name=search",
                "llm.input_messages.2.message.tool_calls.0.tool_call.id=c-1",
                r#"llm.input_messages.3.message.content={"at":"home"}"#,
                "llm.input_messages.3.message.role=tool",
                "llm.input_messages.3.message.tool_call_id=c-1",
                "llm.output_messages.0.message.content=Here.",
                "llm.output_messages.0.message.contents.0.message_content.text=hm",
                "llm.output_messages.0.message.contents.0.message_content.type=reasoning",
                "llm.output_messages.0.message.role=assistant",
                "output.mime_type=application/json",
                concat!(
                    r#"output.value=[{"finish_reason":"stop","parts":[{"content":"Here.","type":"text"},"#,
                    r#"{"content":"hm","type":"reasoning"}],"role":"assistant"}]"#,
                ),
            ],
        },
        Row {
            make: |ai| {
                let step = ai.model_step(2).input("Where is it?").start();
                step.usage(Usage::new(10, 20));
                step.finish_reason("tool_call");
                step.output("Here.");
            },
            name: "model_step",
            kind: SpanKind::Internal,
            both: &[
                "spanmux.model.step=2",
                "spanmux.model.step.finish_reason=tool_call",
                "spanmux.model.step.input_tokens=10",
                "spanmux.model.step.output_tokens=20",
            ],
            gen_ai: &[],
            open_inference: &["openinference.span.kind=CHAIN"],
            both_content: &[],
            gen_ai_content: &[
                r#"gen_ai.input.messages=[{"parts":[{"content":"Where is it?","type":"text"}],"role":"user"}]"#,
                r#"gen_ai.output.messages=[{"finish_reason":"tool_call","parts":[{"content":"Here.","type":"text"}],"role":"assistant"}]"#,
            ],
            open_inference_content: &[
                "input.mime_type=text/plain",
                "input.value=Where is it?",
                "output.mime_type=text/plain",
                "output.value=Here.",
            ],
        },
        Row {
            make: |ai| {
                let call = ai
                    .embedding("small")
                    .provider("openai")
                    .dimensions(256)
                    .encoding_format("float")
                    .input(["one", "two"])
                    .start();
                call.input_tokens(9);
            },
            name: "embeddings small",
            kind: SpanKind::Client,
            both: &[],
            gen_ai: &[
                "gen_ai.embeddings.dimension.count=256",
                "gen_ai.operation.name=embeddings",
                "gen_ai.provider.name=openai",
                r#"gen_ai.request.encoding_formats=["float"]"#,
                "gen_ai.request.model=small",
                "gen_ai.usage.input_tokens=9",
            ],
            open_inference: &[
                r#"embedding.invocation_parameters={"dimensions":256,"encoding_format":"float"}"#,
                "embedding.model_name=small",
                "llm.provider=openai",
                "llm.token_count.prompt=9",
                "openinference.span.kind=EMBEDDING",
            ],
            both_content: &[
                "input.mime_type=application/json",
                r#"input.value=["one","two"]"#,
            ],
            gen_ai_content: &[],
            open_inference_content: &[
                "embedding.embeddings.0.embedding.text=one",
                "embedding.embeddings.1.embedding.text=two",
            ],
        },
        Row {
            make: |ai| {
                let search = ai
                    .retrieval("faq")
                    .provider("pinecone")
                    .top_k(3)
                    .query("refund")
                    .start();
                search.documents([
                    Document::new("d-1").score(0.5).content("A week."),
                    Document::new("d-2"),
                ]);
            },
            name: "retrieval faq",
            kind: SpanKind::Client,
            both: &[],
            gen_ai: &[
                "gen_ai.data_source.id=faq",
                "gen_ai.operation.name=retrieval",
                "gen_ai.provider.name=pinecone",
                "gen_ai.request.top_k=3",
                "gen_ai.retrieval.top_k=3",
            ],
            open_inference: &["llm.provider=pinecone", "openinference.span.kind=RETRIEVER"],
            both_content: &[],
            gen_ai_content: &[
                r#"gen_ai.retrieval.documents=[{"content":"A week.","id":"d-1","score":0.5},{"id":"d-2"}]"#,
                "gen_ai.retrieval.query.text=refund",
            ],
            open_inference_content: &[
                "input.mime_type=text/plain",
                "input.value=refund",
                "retrieval.documents.0.document.content=A week.",
                "retrieval.documents.0.document.id=d-1",
                "retrieval.documents.0.document.score=0.5",
                "retrieval.documents.1.document.id=d-2",
            ],
        },
    ]
}
