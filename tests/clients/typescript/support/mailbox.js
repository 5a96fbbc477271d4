// A mail server that takes everything and shows it.
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { until } from './wait.js';

export class Mailbox {
  /** What has come: `{to, subject, source}`, oldest first. */
  mails = [];

  #server;
  #sockets = new Set();

  static async start() {
    const mailbox = new Mailbox();
    mailbox.#server = createServer((socket) => mailbox.#converse(socket));
    await new Promise((ready) => mailbox.#server.listen(0, '127.0.0.1', ready));
    return mailbox;
  }

  get port() {
    return this.#server.address().port;
  }

  /** The mail with this subject, as soon as it is there. */
  async mail(subject) {
    const found = () => this.mails.find((mail) => mail.subject === subject);
    return until(`the mail "${subject}"`, found);
  }

  stop() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #converse(socket) {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    const say = (line) => socket.write(`${line}\r\n`);
    let to = [];
    let message;
    say('220 mail.test ESMTP');
    for await (const line of createInterface({ input: socket, crlfDelay: Infinity })) {
      const verb = line.slice(0, 4).toUpperCase();
      if (message !== undefined && line !== '.') {
        message.push(line.startsWith('.') ? line.slice(1) : line);
      } else if (message !== undefined) {
        this.mails.push(read(to, message));
        [to, message] = [[], undefined];
        say('250 taken');
      } else if (verb === 'EHLO') {
        say('250-mail.test\r\n250 8BITMIME');
      } else if (verb === 'DATA') {
        message = [];
        say('354 go ahead');
      } else if (verb === 'QUIT') {
        socket.end('221 bye\r\n');
      } else {
        if (verb === 'RCPT') to.push(line.slice(line.indexOf('<') + 1, line.lastIndexOf('>')));
        say('250 fine');
      }
    }
  }
}

function read(to, lines) {
  const head = lines.slice(0, lines.indexOf('')).join('\n').replace(/\n[ \t]+/g, ' ');
  const subject = /^subject: (.*)$/im.exec(head)?.[1] ?? '';
  return { to, subject: decodeWords(subject), source: lines.join('\n') };
}

// RFC 2047. Blanks between two encoded words are not part of the text.
function decodeWords(text) {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?(.*?)\?=/gi, (_, kind, word) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('latin1')
        : word
            .replaceAll('_', ' ')
            .replace(/=([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))))
    .replace(/[\x80-\xff]+/g, (bytes) => Buffer.from(bytes, 'latin1').toString('utf8'));
}
