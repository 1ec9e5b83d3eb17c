/** Starts the page. */
import { mount } from 'svelte';
import './fonts.css';
import './app.css';
import AppShell from './App.svelte';
import { loadCity } from './lib/city';
import { App } from './page/app.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
// Where the server does not answer yet, the page asks again ({@link App.start}).
await loadCity().catch(() => undefined);
mount(AppShell, { target, props: { app: new App() } });
