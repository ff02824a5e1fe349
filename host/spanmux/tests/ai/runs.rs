//! Expected spans of agent runs, workflow runs and tool calls.

use opentelemetry::trace::SpanKind;
use serde_json::json;
use spanmux::genai::RunStatus;

use crate::kinds::Row;

pub(crate) fn rows() -> Vec<Row> {
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
                "spanmux.agent.max_steps=5",
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
                r#"gen_ai.output.messages=[{"finish_reason":"stop","parts":[{"content":"Here.","type":"text"}],"role":"assistant"}]"#,
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
                "spanmux.mcp.server=weather",
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
                "spanmux.workflow.id=w-1",
                "spanmux.workflow.status=suspended",
            ],
            gen_ai: &[
                "gen_ai.agent.name=refund",
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
                "spanmux.workflow.step.id=st-1",
                "spanmux.workflow.step.status=success",
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
