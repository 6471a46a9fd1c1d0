#include "support/postgres/installation.hpp"

#include "support/postgres/process.hpp"
#include "support/postgres/run_directory.hpp"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <stdexcept>
#include <sys/file.h>
#include <unistd.h>

namespace support::postgres {
namespace {

namespace fs = std::filesystem;

std::string first_line_of(const std::string& command) {
  std::array<char, 512> line{};
  std::FILE* pipe = popen((command + " 2>/dev/null").c_str(), "re");
  if (pipe == nullptr) return {};
  const bool got = std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr;
  pclose(pipe);
  std::string text = got ? line.data() : "";
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

fs::path find_programs() {
  const auto complete = [](const fs::path& dir) {
    return fs::exists(dir / "postgres") && fs::exists(dir / "initdb");
  };
  if (const fs::path dir = first_line_of("pg_config --bindir"); complete(dir)) return dir;
  fs::path newest;
  double version = 0;
  std::error_code none_installed;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none_installed)) {
    const double its = std::strtod(entry.path().filename().c_str(), nullptr);
    if (its > version && complete(entry.path() / "bin")) {
      version = its;
      newest = entry.path() / "bin";
    }
  }
  if (newest.empty()) {
    throw std::runtime_error("PostgreSQL's server is not installed: scripts/setup test");
  }
  return newest;
}

void initialise(const fs::path& target) {
  run({program("initdb"), "-D", target, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
       "--locale=C", "--no-sync", "--no-instructions"});
}

void copy_tree(const fs::path& from, const fs::path& to) {
  run({"cp", "-a", "--reflink=auto", "--", from, to}, false);
}

/// "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" as part of a file name.
std::string template_name() {
  const auto& owner = server_account();
  auto name = first_line_of(program("postgres").string() + " --version");
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.') c = '-';
  }
  return name + "-uid" + std::to_string(owner ? owner->uid : geteuid());
}

/// A lock between test processes, let go at the end of either.
class file_lock {
 public:
  explicit file_lock(const fs::path& file)
      : file_(open(file.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0644)) {
    held_ = file_ >= 0 && wait_until([&] { return flock(file_, LOCK_EX | LOCK_NB) == 0; });
  }
  ~file_lock() {
    if (file_ >= 0) close(file_);
  }
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;

  bool is_held() const noexcept { return held_; }

 private:
  int file_;
  bool held_ = false;
};

/// The build tree's data directory; nothing when the tree cannot be written.
std::optional<fs::path> template_directory() {
  const fs::path cache = SCALEKIT_TEST_CACHE_DIR;
  const auto wanted = cache / template_name();
  std::error_code refused;
  if (fs::exists(wanted, refused)) return wanted;
  fs::create_directories(cache, refused);
  const file_lock alone(cache / "lock");
  if (!alone.is_held() || access(cache.c_str(), W_OK) != 0) return std::nullopt;
  if (fs::exists(wanted)) return wanted;

  const run_directory workshop;
  const auto partial = cache / (wanted.filename().string() + ".partial");
  fs::remove_all(partial);
  initialise(workshop / "data");
  copy_tree(workshop / "data", partial);
  fs::rename(partial, wanted);
  return wanted;
}

}  // namespace

fs::path program(const std::string& name) {
  static const auto directory = find_programs();
  return directory / name;
}

fs::path pgbouncer_program() {
  // Debian puts it where only root's PATH looks.
  const fs::path usual = "/usr/sbin/pgbouncer";
  return fs::exists(usual) ? usual : "pgbouncer";
}

void create_data_directory(const fs::path& target, bool own_identity) {
  if (!own_identity) {
    if (const auto ready_made = template_directory()) return copy_tree(*ready_made, target);
  }
  initialise(target);
}

}  // namespace support::postgres
