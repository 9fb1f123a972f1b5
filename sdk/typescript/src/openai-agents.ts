/** Tools for @openai/agents. */
import { tool, type Tool } from "@openai/agents";

import type { Vault } from "./index.js";
import { toolsOf, type Conversation } from "./tools.js";

/** The tools of one conversation, for an Agent. */
export async function vaultTools(vault: Vault, conversation: Conversation): Promise<Tool[]> {
  return (await toolsOf(vault, conversation)).map((each) =>
    tool({
      name: each.name,
      description: each.description,
      parameters: each.parameters,
      strict: true,
      execute: (args: unknown) => each.run(args as Record<string, unknown>),
    }),
  );
}
