//! Each kind of AI span, in each dialect, with and without its content.

use opentelemetry::trace::SpanKind;
use serde_json::json;
use spanway::ai::{Ai, AiOptions, AiParent, Dialect, Document, Message, RunStatus, Score, Usage};

use crate::support::{ai, shown, spans};

/// One kind: what makes a span of it, and what the span is then.
struct Row {
    make: fn(&Ai),
    name: &'static str,
    kind: SpanKind,
    /// In both dialects.
    both: &'static [&'static str],
    gen_ai: &'static [&'static str],
    open_inference: &'static [&'static str],
    /// What is content, likewise.
    both_content: &'static [&'static str],
    gen_ai_content: &'static [&'static str],
    open_inference_content: &'static [&'static str],
}

fn rows() -> Vec<Row> {
    vec![
        Row {
            make: |ai| {
                let run = ai
                    .agent_run("shop-assistant")
                    .id("agent-1")
                    .description("helps")
                    .version("2")
                    .provider("openai")
                    .model("gpt-5-mini")
                    .max_steps(5)
                    .tools(["search", "book"])
                    .instructions("Be kind.")
                    .input("Where is it?")
                    .session("s-1")
                    .user("u-2")
                    .tags(["beta", "eu", "beta"])
                    .start();
                run.output("Here.");
                run.finish_reason("stop");
            },
            name: "invoke_agent shop-assistant",
            kind: SpanKind::Internal,
            both: &[
                "session.id=s-1",
                "spanway.agent.max_steps=5",
                r#"tag.tags=["beta","eu"]"#,
                "user.id=u-2",
            ],
            gen_ai: &[
                "gen_ai.agent.description=helps",
                "gen_ai.agent.id=agent-1",
                "gen_ai.agent.name=shop-assistant",
                "gen_ai.agent.version=2",
                "gen_ai.conversation.id=s-1",
                "gen_ai.operation.name=invoke_agent",
                "gen_ai.provider.name=openai",
                "gen_ai.request.model=gpt-5-mini",
                r#"gen_ai.response.finish_reasons=["stop"]"#,
                r#"gen_ai.tool.definitions=[{"name":"search","type":"function"},{"name":"book","type":"function"}]"#,
            ],
            open_inference: &[
                "agent.name=shop-assistant",
                "llm.model_name=gpt-5-mini",
                "llm.provider=openai",
                "llm.tools.0.tool.name=search",
                "llm.tools.1.tool.name=book",
                "openinference.span.kind=AGENT",
            ],
            both_content: &[],
            gen_ai_content: &[
                r#"gen_ai.input.messages=[{"parts":[{"content":"Where is it?","type":"text"}],"role":"user"}]"#,
                r#"gen_ai.output.messages=[{"parts":[{"content":"Here.","type":"text"}],"role":"assistant"}]"#,
                r#"gen_ai.system_instructions=[{"content":"Be kind.","type":"text"}]"#,
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
                    .generation("gpt-5-mini")
                    .provider("openai")
                    .server("api.openai.com", 443)
                    .temperature(0.5)
                    .top_p(0.9)
                    .top_k(40.0)
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
                    .reasoning(40);
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
            both: &["server.address=api.openai.com", "server.port=443"],
            gen_ai: &[
                "gen_ai.operation.name=chat",
                "gen_ai.output.type=json",
                "gen_ai.provider.name=openai",
                "gen_ai.request.choice.count=2",
                "gen_ai.request.frequency_penalty=0.1",
                "gen_ai.request.max_tokens=100",
                "gen_ai.request.model=gpt-5-mini",
                "gen_ai.request.presence_penalty=0.2",
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
                "gen_ai.usage.cache_creation.input_tokens=8",
                "gen_ai.usage.cache_read.input_tokens=512",
                "gen_ai.usage.input_tokens=812",
                "gen_ai.usage.output_tokens=96",
                "gen_ai.usage.reasoning.output_tokens=40",
            ],
            open_inference: &[
                "llm.finish_reason=stop",
                r#"llm.invocation_parameters={"frequency_penalty":0.1,"max_tokens":100,"n":2,"presence_penalty":0.2,"seed":7,"stop":["END"],"stream":true,"temperature":0.5,"top_k":40.0,"top_p":0.9}"#,
                "llm.model_name=gpt-5-mini",
                "llm.provider=openai",
                "llm.response.model_name=gpt-5-mini-2026",
                "llm.token_count.completion=96",
                "llm.token_count.completion_details.reasoning=40",
                "llm.token_count.prompt=812",
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
                "spanway.model.step=2",
                "spanway.model.step.finish_reason=tool_call",
                "spanway.model.step.input_tokens=10",
                "spanway.model.step.output_tokens=20",
            ],
            gen_ai: &[],
            open_inference: &["openinference.span.kind=CHAIN"],
            both_content: &[],
            gen_ai_content: &[
                r#"gen_ai.input.messages=[{"parts":[{"content":"Where is it?","type":"text"}],"role":"user"}]"#,
                r#"gen_ai.output.messages=[{"parts":[{"content":"Here.","type":"text"}],"role":"assistant"}]"#,
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
                let tool = ai
                    .tool_call("search_orders")
                    .call_id("c-1")
                    .tool_type("function")
                    .description("searches")
                    .arguments(json!({"id": 17}))
                    .start();
                tool.result("found");
            },
            name: "execute_tool search_orders",
            kind: SpanKind::Internal,
            both: &[],
            gen_ai: &[
                "gen_ai.operation.name=execute_tool",
                "gen_ai.tool.call.id=c-1",
                "gen_ai.tool.description=searches",
                "gen_ai.tool.name=search_orders",
                "gen_ai.tool.type=function",
            ],
            open_inference: &[
                "openinference.span.kind=TOOL",
                "tool.description=searches",
                "tool.id=c-1",
                "tool.name=search_orders",
            ],
            both_content: &[],
            gen_ai_content: &[
                r#"gen_ai.tool.call.arguments={"id":17}"#,
                "gen_ai.tool.call.result=found",
            ],
            open_inference_content: &[
                "input.mime_type=application/json",
                r#"input.value={"id":17}"#,
                "output.mime_type=text/plain",
                "output.value=found",
            ],
        },
        Row {
            make: |ai| {
                let tool = ai
                    .mcp_tool_call("get-weather")
                    .server_name("weather")
                    .server("mcp.example", 8080)
                    .transport("tcp")
                    .mcp_session("m-1")
                    .protocol_version("2025-06-18")
                    .request_id("9")
                    .call_id("c-1")
                    .arguments(json!({"city": "Paris"}))
                    .start();
                tool.result(json!({"c": 21}));
            },
            name: "tools/call get-weather",
            kind: SpanKind::Client,
            both: &[
                "jsonrpc.request.id=9",
                "mcp.method.name=tools/call",
                "mcp.protocol.version=2025-06-18",
                "mcp.session.id=m-1",
                "network.transport=tcp",
                "server.address=mcp.example",
                "server.port=8080",
                "spanway.mcp.server=weather",
            ],
            gen_ai: &[
                "gen_ai.operation.name=execute_tool",
                "gen_ai.tool.call.id=c-1",
                "gen_ai.tool.name=get-weather",
            ],
            open_inference: &[
                "openinference.span.kind=TOOL",
                "tool.id=c-1",
                "tool.name=get-weather",
            ],
            both_content: &[],
            gen_ai_content: &[
                r#"gen_ai.tool.call.arguments={"city":"Paris"}"#,
                r#"gen_ai.tool.call.result={"c":21}"#,
            ],
            open_inference_content: &[
                "input.mime_type=application/json",
                r#"input.value={"city":"Paris"}"#,
                "output.mime_type=application/json",
                r#"output.value={"c":21}"#,
            ],
        },
        Row {
            make: |ai| {
                let run = ai
                    .workflow_run("refund")
                    .id("w-1")
                    .input(json!({"order": 17}))
                    .start();
                run.output(json!(["done"]));
                run.finish(RunStatus::Suspended);
            },
            name: "invoke_workflow refund",
            kind: SpanKind::Internal,
            both: &[
                "spanway.workflow.id=w-1",
                "spanway.workflow.status=suspended",
            ],
            gen_ai: &[
                "gen_ai.operation.name=invoke_workflow",
                "gen_ai.workflow.name=refund",
            ],
            open_inference: &["openinference.span.kind=CHAIN"],
            both_content: &[
                "input.mime_type=application/json",
                r#"input.value={"order":17}"#,
                "output.mime_type=application/json",
                r#"output.value=["done"]"#,
            ],
            gen_ai_content: &[],
            open_inference_content: &[],
        },
        Row {
            make: |ai| {
                let step = ai.workflow_step("decide").id("st-1").input("17").start();
                step.output("yes");
                step.finish(RunStatus::Success);
            },
            name: "decide",
            kind: SpanKind::Internal,
            both: &[
                "spanway.workflow.step.id=st-1",
                "spanway.workflow.step.status=success",
            ],
            gen_ai: &[],
            open_inference: &["openinference.span.kind=CHAIN"],
            both_content: &[
                "input.mime_type=text/plain",
                "input.value=17",
                "output.mime_type=text/plain",
                "output.value=yes",
            ],
            gen_ai_content: &[],
            open_inference_content: &[],
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
        Row {
            make: |ai| {
                let check = ai.generic("guard").input(json!(1)).start();
                check.output(json!(true));
            },
            name: "guard",
            kind: SpanKind::Internal,
            both: &[],
            gen_ai: &[],
            open_inference: &["openinference.span.kind=CHAIN"],
            both_content: &[
                "input.mime_type=application/json",
                "input.value=1",
                "output.mime_type=application/json",
                "output.value=true",
            ],
            gen_ai_content: &[],
            open_inference_content: &[],
        },
    ]
}

/// What a row says that a span has.
fn expected(row: &Row, dialect: Dialect, content: bool) -> Vec<String> {
    let gen_ai = dialect != Dialect::OpenInference;
    let open_inference = dialect != Dialect::GenAi;
    let mut all = Vec::new();
    for (here, attributes) in [
        (true, row.both),
        (gen_ai, row.gen_ai),
        (open_inference, row.open_inference),
        (content, row.both_content),
        (content && gen_ai, row.gen_ai_content),
        (content && open_inference, row.open_inference_content),
    ] {
        if here {
            all.extend(attributes.iter().map(|text| (*text).to_owned()));
        }
    }
    all.sort_by_key(|text| text.split('=').next().unwrap().to_owned());
    all
}

const DIALECTS: [Dialect; 3] = [Dialect::GenAi, Dialect::OpenInference, Dialect::Both];

#[test]
fn each_kind_is_written_as_its_dialect_says() {
    for row in rows() {
        for dialect in DIALECTS {
            for content in [false, true] {
                let options = AiOptions::new().dialect(dialect).capture_content(content);
                let (ai, exporter) = ai(options);
                (row.make)(&ai);
                let spans = spans(&exporter);
                let case = format!("{} in {dialect:?}, content {content}", row.name);
                assert_eq!(spans.len(), 1, "{case}");
                assert_eq!(spans[0].name, row.name, "{case}");
                assert_eq!(spans[0].span_kind, row.kind, "{case}");
                let mut shown = shown(&spans[0].attributes);
                for text in &mut shown {
                    if let Some((key, seconds)) = text.split_once("first_chunk=") {
                        assert!(seconds.parse::<f64>().unwrap() >= 0.0);
                        *text = format!("{key}first_chunk=SECONDS");
                    }
                }
                assert_eq!(shown, expected(&row, dialect, content), "{case}");
            }
        }
    }
}

#[test]
fn names_and_kinds_can_be_others() {
    let (ai, exporter) = ai(AiOptions::new());
    ai.agent_run("a").remote().start().end();
    ai.generation("m")
        .operation("text_completion")
        .start()
        .end();
    ai.generation("").start().end();
    ai.workflow_run("w")
        .span_name("POST /refunds")
        .span_kind(SpanKind::Server)
        .start()
        .end();
    let spans = spans(&exporter);
    let shown: Vec<_> = spans
        .iter()
        .map(|span| (&*span.name, span.span_kind.clone()))
        .collect();
    assert_eq!(
        shown,
        [
            ("invoke_agent a", SpanKind::Client),
            ("text_completion m", SpanKind::Client),
            ("chat", SpanKind::Client),
            ("POST /refunds", SpanKind::Server),
        ]
    );
}

#[test]
fn langfuse_has_its_own_words_on_request() {
    let (ai, exporter) = ai(AiOptions::new().langfuse(true));
    let run = ai.agent_run("a").tags(["beta"]).start();
    let call = run.generation("m").streaming().start();
    call.first_token();
    drop((call, run));
    let spans = spans(&exporter);
    let own = |place: usize| -> Vec<String> {
        let shown = shown(&spans[place].attributes);
        shown
            .into_iter()
            .filter(|text| text.starts_with("langfuse."))
            .collect()
    };
    let [start, tags] = own(0).try_into().unwrap();
    let (key, time) = start.split_once('=').unwrap();
    assert_eq!(key, "langfuse.observation.completion_start_time");
    assert!(
        time.len() == 24 && time.ends_with('Z') && time.contains('T'),
        "{time}"
    );
    assert_eq!(tags, r#"langfuse.trace.tags=["beta"]"#);
    assert_eq!(own(1), [tags]);
}

#[test]
fn handles_can_be_sent_and_scores_are_values() {
    fn is_send<T: Send + Sync>(_: &T) {}
    let (ai, _exporter) = ai(AiOptions::new());
    let run = ai.agent_run("a").start();
    is_send(&ai);
    is_send(&run);
    is_send(&Score::new("helpful"));
}
