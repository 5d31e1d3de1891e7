import { createSasToken } from "../../../src/hybrid-connections/sas-token";
import type { AcceptMessage } from "../../../src/hybrid-connections/control-messages";
import type { RelaySettings } from "../../../src/relay/settings";
import { eventually } from "../../support/eventually";
import { RawWebSocket, type Answer, type RawOptions } from "../../support/raw-websocket";
import { listenKey, sendKey, startRelay, type RunningRelay } from "../../support/relay-process";

export interface DialOptions {
  readonly path?: string;
  /** Beside what the protocol itself needs; begins without `?`. */
  readonly query?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly key?: string;
}

/** A relay in this process, and the two ends that call it, as bare sockets that do only what they are told. */
export class RelayEnds {
  readonly #dialled: RawWebSocket[] = [];

  private constructor(readonly running: RunningRelay) {}

  static async start(...args: Parameters<typeof startRelay>): Promise<RelayEnds> {
    return new RelayEnds(await startRelay(...args));
  }

  get settings(): RelaySettings {
    return this.running.settings;
  }

  sign(right: "listen" | "send", { entity = "plant-7", lifetimeMs = 60_000 } = {}): string {
    const [keyName, key] = right === "listen" ? ["agent", listenKey] : ["client", sendKey];
    return createSasToken({ relay: this.running.url, entity, keyName, key, lifetimeMs });
  }

  /** Sends any handshake; does not wait for its answer. */
  async dial(target: string, options: RawOptions = {}): Promise<RawWebSocket> {
    const raw = await RawWebSocket.dial(new URL(target, this.running.url), options);
    this.#dialled.push(raw);
    return raw;
  }

  async ask(target: string, options: RawOptions = {}): Promise<Answer> {
    return (await this.dial(target, options)).answer;
  }

  dialListener(options: DialOptions = {}): Promise<RawWebSocket> {
    const { path = "plant-7", query = "", token = this.sign("listen"), headers, key } = options;
    return this.dial(`/$hc/${path}?sb-hc-action=listen${query === "" ? "" : `&${query}`}`, {
      headers: { ServiceBusAuthorization: token, ...headers },
      ...(key === undefined ? {} : { key }),
    });
  }

  /** A registered listener. */
  async listen(options: DialOptions = {}): Promise<RawWebSocket> {
    const raw = await this.dialListener(options);
    const { status, reason } = await raw.answer;
    if (status !== 101) throw new Error(`refused with ${status} ${reason}`);
    return raw;
  }

  /** A sender's handshake, which has no answer until a listener has come. */
  connect(options: DialOptions = {}): Promise<RawWebSocket> {
    const { path = "plant-7", query = "", token = this.sign("send"), headers, key } = options;
    return this.dial(`/$hc/${path}?sb-hc-action=connect${query === "" ? "" : `&${query}`}`, {
      headers: { ServiceBusAuthorization: token, ...headers },
      ...(key === undefined ? {} : { key }),
    });
  }

  /** The next `accept` message of a listener. */
  async announced(listener: RawWebSocket): Promise<AcceptMessage> {
    const text = await listener.read();
    if (!text.startsWith('1:{"accept"')) throw new Error(`not an accept: ${text}`);
    return (JSON.parse(text.slice(2)) as { accept: AcceptMessage }).accept;
  }

  /** Sender and listener joined; the control channel they were brought together by is closed. */
  async join(options: DialOptions = {}): Promise<{ sender: RawWebSocket; listener: RawWebSocket }> {
    const channel = await this.listen();
    const sender = await this.connect(options);
    const { address } = await this.announced(channel);
    const listener = await this.dial(address);
    await Promise.all([listener.answer, sender.answer]);
    channel.close(1000);
    await channel.next();
    return { sender, listener };
  }

  /** The value of one of the relay's metrics. */
  async metric(name: string, labels = ""): Promise<number> {
    const text = await this.running.relay.metrics.registry.metrics();
    const line = text.split("\n").find((each) => each.startsWith(`cluster_connect_relay_${name}${labels} `));
    return Number(line?.split(" ").at(-1));
  }

  /** Waits until a metric has a value. */
  async until(name: string, value: number): Promise<void> {
    let last = NaN;
    const poll = setInterval(() => void this.metric(name).then((now) => (last = now)), 5);
    try {
      await eventually(() => last === value);
    } catch {
      throw new Error(`${name} is ${last}, not ${value}`);
    } finally {
      clearInterval(poll);
    }
  }

  /** Drops every end that was dialled. */
  reset(): void {
    for (const { socket } of this.#dialled.splice(0)) socket.destroy();
  }

  async close(): Promise<void> {
    this.reset();
    await this.running.close();
  }
}
