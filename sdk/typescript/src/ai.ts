/** Tools for the package ai. */
import { jsonSchema, tool, type ToolSet } from "ai";

import type { Vault } from "./index.js";
import { toolsOf, type Conversation } from "./tools.js";

/** The tools of one conversation, for generateText and streamText. */
export async function vaultTools(vault: Vault, conversation: Conversation): Promise<ToolSet> {
  const out: ToolSet = {};
  for (const each of await toolsOf(vault, conversation)) {
    out[each.name] = tool({
      description: each.description,
      inputSchema: jsonSchema<Record<string, unknown>>(each.parameters as Parameters<typeof jsonSchema>[0]),
      execute: (args: Record<string, unknown>) => each.run(args),
    });
  }
  return out;
}
