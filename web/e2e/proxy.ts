/** A proxy before the server, which sees what the page and its workers really fetch. */
import { createServer, request as forward } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface ProxyServer {
  /** Where the page is. */
  url: string;
  /** The paths (with queries) that were asked for, without the prefix. */
  asked: string[];
  /** The paths that were asked for outside the prefix, of which the proxy knows nothing. */
  outside: string[];
  /** The bytes of all answers until now, with their heads. */
  bytes(): number;
  close(): void;
}

/** Starts a proxy that passes on what is below a path prefix, and takes the prefix away. */
export async function startProxy(server: string, prefix = ''): Promise<ProxyServer> {
  const [asked, outside]: [string[], string[]] = [[], []];
  const sockets = new Set<Socket>();
  let closed = 0;
  const proxy = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '/';
    if (!path.startsWith(`${prefix}/`)) {
      outside.push(path);
      outgoing.writeHead(404).end();
      return;
    }
    const rest = path.slice(prefix.length);
    asked.push(rest);
    const { method, headers } = incoming;
    const upstream = forward(`${server}${rest}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  });
  proxy.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => {
      closed += socket.bytesWritten;
      sockets.delete(socket);
    });
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}/`,
    asked,
    outside,
    bytes: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, closed),
    close: () => {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
