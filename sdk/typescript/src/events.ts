import type { Entry, Input } from "./core.js";
import { NotVaultError, VaultError } from "./problem.js";

export type FeedEvent = Entry<"list-events">;
/** Selects a part of the feed. after is the id of the last event that was received, or "latest". */
export type WatchInput = Omit<Input<"list-events">, "limit" | "after"> & { after?: string | number };

const firstPause = 0.5; // seconds before a stream connects again
const lastPause = 30;
const silence = 45; // seconds without anything after which a connection is lost: an idle stream sends its position

/** Opens a stream, and returns its bytes. It fails with the problem of a refused request. */
export type Open = (query: Record<string, unknown>, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

/** Reads the feed over several connections. */
export async function* watch(
  open: Open, problem: (text: string) => VaultError, input: WatchInput, signal?: AbortSignal,
): AsyncGenerator<FeedEvent, void, void> {
  let after = input.after;
  let pause = firstPause;
  for (;;) {
    signal?.throwIfAborted();
    const connection = new AbortController();
    const end = () => connection.abort();
    signal?.addEventListener("abort", end);
    let idle = setTimeout(end, silence * 1000);
    try {
      for await (const message of messages(await open({ ...input, after }, connection.signal))) {
        clearTimeout(idle); // the caller may take its time
        if (message.event === "error" && message.data !== undefined) throw problem(message.data);
        if (message.data !== undefined) {
          const event = parsed(message.data);
          after = event.id;
          yield event;
        } else if (message.id) after = message.id; // nothing up to there was for this reader
        pause = firstPause;
        idle = setTimeout(end, silence * 1000);
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof VaultError && error.status !== 429 && error.status < 500) throw error;
      // Another error is a lost connection, or a server that is away for some time.
    } finally {
      clearTimeout(idle);
      signal?.removeEventListener("abort", end);
      connection.abort();
    }
    await rest(pause * (0.5 + Math.random() / 2), signal);
    pause = Math.min(2 * pause, lastPause);
  }
}

/** Sleeps until the time has passed or the signal comes. */
function rest(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    signal?.addEventListener("abort", done);
  });
}

interface Message {
  id?: string;
  event?: string;
  data?: string;
}

/** Reads server-sent events. Each has one line of data. */
async function* messages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Message, void, void> {
  const decoder = new TextDecoder();
  let text = "";
  let message: Record<string, string> = {};
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) {
      if (line !== "") {
        const colon = line.indexOf(":");
        message[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, "");
        continue;
      }
      yield message;
      message = {};
    }
  }
}

function parsed(data: string): FeedEvent {
  try {
    const event = JSON.parse(data) as FeedEvent;
    if (typeof event.id === "number") return event;
  } catch {
    // the cause may quote a value
  }
  throw new NotVaultError(200);
}
