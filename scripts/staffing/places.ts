/** A city where workers live and clients ask, with the telephone area code that serves it. */
export interface Place {
  readonly city: string;
  readonly state: string;
  readonly areaCode: string;
}

const byState: Readonly<Record<string, string>> = {
  IL: 'Aurora 630, Champaign 217, Chicago 312, Decatur 217, Elgin 847, Joliet 815, Peoria 309, Rockford 815, Springfield 217',
  IN: 'Evansville 812, Fort Wayne 260, Gary 219, Indianapolis 317, South Bend 574, Terre Haute 812',
  MI: 'Detroit 313, Flint 810, Grand Rapids 616, Kalamazoo 269, Lansing 517, Warren 586',
  OH: 'Akron 330, Cincinnati 513, Cleveland 216, Columbus 614, Dayton 937, Toledo 419',
  WI: 'Green Bay 920, Kenosha 262, Madison 608, Milwaukee 414, Racine 262',
  MO: 'Kansas City 816, Springfield 417, St. Louis 314',
  IA: 'Cedar Rapids 319, Davenport 563, Des Moines 515',
  MN: 'Minneapolis 612, Rochester 507, St. Paul 651',
  KY: 'Lexington 859, Louisville 502',
  TN: 'Chattanooga 423, Knoxville 865, Memphis 901, Nashville 615',
  PA: 'Allentown 610, Erie 814, Pittsburgh 412',
  GA: 'Atlanta 404, Savannah 912',
  NC: 'Charlotte 704, Greensboro 336',
  SC: 'Columbia 803, Greenville 864',
  AL: 'Birmingham 205',
  NE: 'Omaha 402',
  KS: 'Wichita 316',
  TX: 'Dallas 214, El Paso 915, Houston 713',
  AZ: 'Phoenix 602',
  CO: 'Denver 303',
  NV: 'Reno 775',
  NJ: 'Newark 973',
  NY: 'Buffalo 716',
};

function readPlaces(state: string, cities: string): Place[] {
  return cities.split(', ').map((entry) => {
    const cut = entry.lastIndexOf(' ');
    return { city: entry.slice(0, cut), state, areaCode: entry.slice(cut + 1) };
  });
}

/** Where the staffing corpus plays: the Midwest mostly, with some of the country's other freight towns. */
export const places: readonly Place[] = Object.entries(byState).flatMap(([state, cities]) => readPlaces(state, cities));

/** The place of that name; throws where the corpus does not know it. */
export function placeNamed(city: string, state: string): Place {
  const place = places.find((candidate) => candidate.city === city && candidate.state === state);
  if (place === undefined) throw new RangeError(`the staffing corpus has no place "${city} ${state}"`);
  return place;
}
