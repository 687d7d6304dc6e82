import { expect, test } from "bun:test";
import { expose } from "../../src/metrics/exposition.ts";
import { createPromptTimes } from "../../src/metrics/prompt-times.ts";
import { readMetrics } from "../support/prometheus.ts";

function watch() {
  let ms = 5000;
  const times = createPromptTimes(() => ms);
  const sample = (name: string, key: string) => {
    const metric = readMetrics(expose(times.families())).get(`acp_gateway_prompt_${name}_seconds`);
    return metric?.samples.get(`acp_gateway_prompt_${name}_seconds_${key}`);
  };
  return { times, sample, pass: (seconds: number) => void (ms += seconds * 1000) };
}

test("a prompt is timed from being taken to its end, a turn from its start to what it first shows", () => {
  const { times, sample, pass } = watch();
  times.told("prompt_queued", "p");
  pass(3);
  times.told("prompt_started", "p");
  pass(0.2);
  times.updated("available_commands_update", "p");
  times.updated("agent_message_chunk", "another");
  times.updated("agent_message_chunk", null);
  pass(0.5);
  times.updated("agent_thought_chunk", "p");
  pass(1);
  times.updated("agent_message_chunk", "p");
  times.told("permission_requested", "p");
  times.told("prompt_finished", "p");
  expect(sample("first_update", "count")).toBe(1);
  expect(sample("first_update", "sum")).toBeCloseTo(0.7);
  expect(sample("first_update", 'bucket{le="0.5"}')).toBe(0);
  expect(sample("first_update", 'bucket{le="1"}')).toBe(1);
  expect(sample("duration", 'sum{outcome="finished"}')).toBeCloseTo(4.7);
  expect(sample("duration", 'bucket{outcome="finished",le="2.5"}')).toBe(0);
  expect(sample("duration", 'bucket{outcome="finished",le="5"}')).toBe(1);
  expect(sample("duration", 'bucket{outcome="finished",le="+Inf"}')).toBe(1);
  expect(sample("duration", 'count{outcome="failed"}')).toBe(0);
});

test("a turn that shows nothing, and a prompt of an earlier gateway, are not timed as if they did", () => {
  const { times, sample, pass } = watch();
  times.told("prompt_queued", "mute");
  times.told("prompt_started", "mute");
  pass(7200);
  times.told("prompt_cancelled", "mute");
  times.updated("agent_message_chunk", "mute");
  times.told("prompt_started", "old");
  pass(1);
  times.updated("tool_call", "old");
  times.told("prompt_failed", "old");
  expect(sample("first_update", "count")).toBe(1);
  expect(sample("duration", 'bucket{outcome="cancelled",le="3600"}')).toBe(0);
  expect(sample("duration", 'sum{outcome="cancelled"}')).toBe(7200);
  expect(sample("duration", 'count{outcome="failed"}')).toBe(0);
});
