import { callWithProof } from './call-with-proof.js';

// node dist/sample-app/payments/pay.js http://127.0.0.1:3000 http://127.0.0.1:4000
const [, , api = 'http://127.0.0.1:3000', provider = 'http://127.0.0.1:4000'] = process.argv;
console.log(await callWithProof(api, provider));
