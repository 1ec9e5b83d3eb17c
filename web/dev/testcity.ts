/** Lets every unit test begin with the city of `data/city.tsv`. */
import { showCity } from '../src/lib/city';
import { CITY } from './mock/profile';

showCity(CITY);
