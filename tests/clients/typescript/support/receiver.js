// A webhook receiver as an integrator would write one: it believes only what is signed.
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { until } from './wait.js';

export class Receiver {
  /** What has come: `{event, body, headers}`, oldest first. */
  received = [];

  /** Whether it answers everything that is genuine with 500, and forgets it. */
  objects = false;

  #secret;
  #server;
  #refused = [];

  static async start() {
    const receiver = new Receiver();
    receiver.#server = createServer((request, response) => receiver.#take(request, response));
    await new Promise((ready) => receiver.#server.listen(0, '127.0.0.1', ready));
    return receiver;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/hook`;
  }

  /** From now on, what is not signed with this secret is refused. */
  trust(secret) {
    this.#secret = secret;
  }

  /** The event of an action's phase, as soon as it is there. */
  async event(actionId, phase) {
    const found = () => this.events(actionId).find((event) => event.phase === phase);
    const event = await until(`the webhook of phase ${phase}`, found);
    if (this.#refused.length !== 0) throw new Error(`refused: ${this.#refused.join(', ')}`);
    return event;
  }

  /** What has come about an action. */
  events(actionId) {
    return this.received
      .map(({ event }) => event)
      .filter((event) => event.actionId === actionId);
  }

  stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    try {
      const { event } = new Webhook(this.#secret).verify(body, request.headers);
      if (this.objects) return void response.writeHead(500).end();
      this.received.push({ event, body, headers: request.headers });
      response.writeHead(204).end();
    } catch (error) {
      this.#refused.push(String(error));
      response.writeHead(400).end();
    }
  }
}
