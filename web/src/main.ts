/** The page's entry point. */
import { mount } from 'svelte';
import './fonts.css';
import './app.css';
import AppShell from './App.svelte';
import { App } from './page/app.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(AppShell, { target, props: { app: new App() } });
