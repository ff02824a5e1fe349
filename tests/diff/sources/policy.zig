//! The policy of the suite in Zig. `../mutations.tsv` changes one literal at a time.

const std = @import("std");
const spanmux = @import("spanmux.zig");

comptime {
    spanmux.exportSelector(select);
}

fn is(text: ?[]const u8, other: []const u8) bool {
    return std.mem.eql(u8, text orelse return false, other);
}

pub fn select(context: spanmux.Context, tracers: []const spanmux.Text) spanmux.Decision {
    _ = tracers;
    if (is(context.text("span.name"), "GET /healthz")) return .{ .choose = "discard" };
    const tenant = context.text("tenant");
    if (is(tenant, "")) return .{ .fail = "`tenant` is empty" };
    if (is(tenant, "acme")) return .{ .choose = "tenant-acme" };
    if (is(context.text("user.tier"), "enterprise")) {
        return .{ .choose = if (is(context.text("region"), "eu-west-1")) "langfuse-eu" else "langfuse" };
    }
    if ((context.integer("tokens") orelse 0) > 1000) return .{ .choose = "quarantine" };
    if (context.has("debug")) return .{ .choose = "console" };
    if (context.bucket("user.id", "rollout-7", 100)) |share| {
        if (share < 15) return .{ .choose = "candidate" };
    }
    if (is(context.text("environment"), "production")) return .{ .choose = "langfuse" };
    return .abstain;
}
