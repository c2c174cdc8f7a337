// Connects the page: one stream of states in, one request per button out.

import { find, post, setText } from './dom.js';
import { showState } from './panels.js';
import { connectTokenPanel } from './token-panel.js';
import { playTour } from './tour.js';

const error = find('[data-error]');

async function act(name) {
  error.hidden = true;
  try {
    await post(`/playground/actions/${name}`);
  } catch (problem) {
    report(problem);
  }
}

function report(problem) {
  setText(error, `That did not work: ${problem.message}`);
  error.hidden = false;
}

for (const button of document.querySelectorAll('[data-action]')) {
  button.addEventListener('click', () => act(button.dataset.action));
}
for (const radio of document.querySelectorAll('[name=fault]')) {
  radio.addEventListener('change', () => act(`provider-${radio.value}`));
}
for (const input of document.querySelectorAll('[data-switch]')) {
  input.addEventListener('change', () => act(`${input.dataset.switch}-${input.checked ? 'on' : 'off'}`));
}
const tour = find('[data-tour]');
tour.addEventListener('click', () => playTour(tour).catch(report));

const events = new EventSource('/playground/events');
events.addEventListener('message', ({ data }) => showState(JSON.parse(data)));
events.addEventListener('error', () => {
  setText(find('[data-status]'), 'The connection to the sample is lost. Is npm start still running?');
});
await connectTokenPanel().catch(report);
