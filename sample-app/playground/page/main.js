// Connects the page: one stream of states in, one request per button out.

import { find, findAll, post, setText } from './dom.js';
import { showControls, showState } from './panels.js';
import { connectTokenPanel } from './token-panel.js';
import { playTour } from './tour.js';

const error = find('[data-error]');

/** Actions on their way: a state from before them must not set the controls back. */
let pending = 0;

async function act(name) {
  error.hidden = true;
  pending += 1;
  try {
    await post(`/playground/actions/${name}`);
  } catch (problem) {
    report(problem);
  } finally {
    pending -= 1;
  }
}

function report(problem) {
  setText(error, `That did not work: ${problem.message}`);
  error.hidden = false;
}

for (const button of findAll('[data-action]')) {
  button.addEventListener('click', () => act(button.dataset.action));
}
for (const radio of findAll('[name=fault]')) {
  radio.addEventListener('change', () => act(`provider-${radio.value}`));
}
for (const input of findAll('[data-switch]')) {
  input.addEventListener('change', () => act(`${input.dataset.switch}-${input.checked ? 'on' : 'off'}`));
}
const tour = find('[data-tour]');
tour.addEventListener('click', () => playTour(tour).catch(report));

const events = new EventSource('/playground/events');
events.addEventListener('message', ({ data }) => {
  const state = JSON.parse(data);
  showState(state);
  if (pending === 0) showControls(state);
});
events.addEventListener('error', () => {
  setText(find('[data-status]'), 'The connection to the sample is lost. Is npm start still running?');
});
await connectTokenPanel().catch(report);
