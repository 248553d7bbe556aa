// Which floor a file belongs to and what it may include, as CMakeLists.txt says it: add_floor(PATH DEPENDS …).

// What the libraries of deploy/cmake/libraries.cmake bring along.
const LIBRARY_NEEDS = {
  asio: ['boost_headers', 'openssl'],
  boost_json: ['boost_headers'],
  boost_url: ['boost_headers'],
  httplib: ['openssl'],
};

// Which library an include belongs to; the first that matches.
const LIBRARIES = [
  [/^boost\/(asio|beast)(\/|\.hpp)/, 'asio'],
  [/^boost\/json(\/|\.hpp)/, 'boost_json'],
  [/^boost\/url(\/|\.hpp)/, 'boost_url'],
  [/^boost\//, 'boost_headers'],
  [/^openssl\//, 'openssl'],
  [/^pqxx(\/|$)/, 'pqxx'],
  [/^yaml-cpp\//, 'yaml_cpp'],
  [/^CLI\//, 'cli11'],
  [/^(fido\.h$|fido\/|cbor\.h$)/, 'fido2'],
  [/^spdlog\//, 'spdlog_compiled'],
  [/^re2\//, 're2'],
  [/^libdeflate\.h$/, 'libdeflate'],
  [/^curl\//, 'curl'],
  [/^httplib\.h$/, 'httplib'],
  [/^doctest\//, 'doctest'],
];

// The library that `include` belongs to; undefined for the standard library and the system.
export function libraryOf(include) {
  return LIBRARIES.find(([pattern]) => pattern.test(include))?.[1];
}

export class Floors {
  #depends = new Map([['web', []]]); // web/ comes from deploy/cmake/web.cmake and sees nothing but itself

  constructor(cmakeLists) {
    const text = cmakeLists.replace(/#[^\n]*/g, '');
    for (const [, path, depends] of text.matchAll(/\badd_floor\(\s*(\S+?)(?:\s+DEPENDS\s+([^)]*))?\)/g))
      this.#depends.set(path, (depends ?? '').trim().split(/\s+/).filter(Boolean));
    const program = /target_link_libraries\(\s*sallyport\s+PRIVATE\s+([^)]*)\)/.exec(text);
    const linked = (program?.[1] ?? '').trim().split(/\s+/).filter((name) => name.startsWith('floor_'));
    const paths = [...this.#depends.keys()];
    this.#depends.set('gateway/main.cpp', linked.map((name) => paths.find((path) => name === `floor_${path.replaceAll('/', '_')}`)));
  }

  // The floor that `path` lies on, the deepest; for a test, that of what it tests. Undefined outside of all.
  of(path) {
    const place = path.replace(/^tests\//, '');
    if (this.#depends.has(place)) return place;
    return [...this.#depends.keys()].filter((floor) => place.startsWith(`${floor}/`)).sort((a, b) => b.length - a.length)[0];
  }

  // All that a floor may include, itself first, floors and libraries alike.
  below(floor) {
    const seen = new Set([floor]);
    for (const each of seen) for (const next of this.#depends.get(each) ?? LIBRARY_NEEDS[each] ?? []) seen.add(next);
    return seen;
  }
}
