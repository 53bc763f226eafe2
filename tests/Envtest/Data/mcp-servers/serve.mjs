// serve.mjs everything streamableHttp|sse: the reference server, as it is.
// serve.mjs sdk [TOKEN]: one that is made with the TypeScript SDK. It keeps no session and answers in JSON; with a token it wants that.
import net from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';

// The reference server takes a port, but neither an address nor the kernel's choice of a port.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...wanted) {
  this.once('listening', () => console.log(`listening on http://127.0.0.1:${this.address().port}`));
  return listen.call(this, { host: '127.0.0.1', port: 0 }, wanted.find(argument => typeof argument === 'function'));
};

const [kind, argument] = process.argv.slice(2);
switch (kind) {
  case 'everything':
    process.argv.splice(2, 1);
    await import('@modelcontextprotocol/server-everything/dist/index.js');
    break;
  case 'sdk':
    serve(argument);
    break;
  default:
    throw new Error(`no such server: ${kind}`);
}

function serve(token) {
  const app = express();
  const verifier = {
    verifyAccessToken: async given => {
      if (given !== token) throw new InvalidTokenError('not the one');
      return { token, clientId: 'test', scopes: [] };
    },
  };
  app.post('/mcp', express.json(), ...(token ? [requireBearerAuth({ verifier })] : []), async (request, response) => {
    const server = new McpServer({ name: 'typescript', version: '3.2.1' });
    server.registerTool('add', { description: 'Nothing is added.' }, () => ({ content: [] }));
    server.registerTool('echo', { description: 'Nothing is echoed.' }, () => ({ content: [] }));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
    response.on('close', () => server.close());
    await server.connect(transport);
    await transport.handleRequest(request, response, request.body);
  });
  app.listen();
}
