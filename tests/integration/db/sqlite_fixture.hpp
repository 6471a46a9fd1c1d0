#pragma once

#include "scalekit/db.hpp"
#include "support/temp_directory.hpp"

#include <string>
#include <utility>

/// A SQLite file with a table of notes.
struct notebook {
  support::temp_directory directory;
  std::string file = directory.file("notes.db");
  scalekit::db::client client;

  explicit notebook(scalekit::db::client_params params = {}, scalekit::execution exec = {})
      : client(open(std::move(params), std::move(exec))) {
    client.run_script(
        "create table entry (id integer primary key, note text not null);"
        "create table pair (number integer not null, half integer not null)");
  }

  scalekit::db::client open(scalekit::db::client_params params = {},
                            scalekit::execution exec = {}) const {
    return scalekit::db::client::open("sqlite://" + file, std::move(params), std::move(exec));
  }

  scalekit::db::write_result add(const std::string& note,
                                 const scalekit::db::call_options& options = {}) {
    return client.write(scalekit::db::sql("insert into entry (note) values ($1)", note), options);
  }

  std::int64_t count() {
    return client.read_one<std::int64_t>(scalekit::db::sql("select count(*) from entry"));
  }
};
