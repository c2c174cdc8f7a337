import { MetadataUnavailableError } from '../../../errors/metadata.errors.js';
import { ProofError } from '../../../errors/request.errors.js';
import { estimateCost, signatureVerifies, signatureVerifiesInPool } from '../../../token/signature.js';
import { ThreadPoolShare } from '../../../token/thread-pool-share.js';
import type { ProofParts } from './parse-proof.js';
import type { ProofSigner } from './proof-signer.js';

/** Checks the signatures of proofs: one alone at once, several of one turn of the event loop in the thread pool. */
export class ProofSignatures {
  readonly #pool = new ThreadPoolShare();

  /**
   * @throws {ProofError} it does not verify
   * @throws {MetadataUnavailableError} too many wait to be checked
   */
  async assertVerifies({ alg, key }: ProofSigner, { text }: Pick<ProofParts, 'text'>): Promise<void> {
    const { publicKey } = key;
    const end = text.lastIndexOf('.');
    const signed = Buffer.from(text.slice(0, end), 'latin1');
    const signature = Buffer.from(text.slice(end + 1), 'base64url');
    const isGood = this.#pool.isBusy
      ? await this.#inPool(alg, publicKey, signed, signature)
      : this.#atOnce(alg, publicKey, signed, signature);
    if (!isGood) throw new ProofError('AUTH_PROOF_INVALID', 'The signature of the proof does not verify');
  }

  #atOnce(...parts: Parameters<typeof signatureVerifies>): boolean {
    this.#pool.takeTurn();
    return signatureVerifies(...parts);
  }

  #inPool(...parts: Parameters<typeof signatureVerifiesInPool>): Promise<boolean> {
    const [alg, key] = parts;
    const check = this.#pool.run(estimateCost(alg, key), () => signatureVerifiesInPool(...parts));
    if (check) return check;
    throw new MetadataUnavailableError('Too many signatures of proofs wait to be checked', 1);
  }
}
