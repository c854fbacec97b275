#include "apart.hpp"

#include "hpot/core/error.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cfenv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>

namespace hpot {
namespace {

bool in_child = false;

enum class Outcome : std::uint64_t { array = 1, input_error, out_of_memory, internal_error };

/// What comes first through the pipe: then follow `text_bytes` of a message, or `axes` and `values` numbers.
struct Head {
  Outcome outcome = Outcome::array;
  std::uint64_t text_bytes = 0;
  std::uint64_t axes = 0;
  std::uint64_t values = 0;
};

void send(int pipe, const void* data, std::size_t bytes) {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t sent = write(pipe, at, bytes);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    at += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
}

/// False when the other end closed before all had come.
bool receive(int pipe, void* data, std::size_t bytes) {
  char* at = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t got = read(pipe, at, bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

void send_text(int pipe, Outcome outcome, const std::string& text) {
  const Head head{outcome, text.size(), 0, 0};
  send(pipe, &head, sizeof head);
  send(pipe, text.data(), text.size());
}

/// No handler of MPI's or of a test's has a say in how the child crashes, and it leaves no core file.
void expect_crashes() {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) std::signal(signal, SIG_DFL);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  std::fenv_t environment;
  std::feholdexcept(&environment);
}

[[noreturn]] void run_child(int pipe, const std::function<Array()>& work) {
  in_child = true;
  expect_crashes();
  try {
    const Array array = work();
    const Head head{Outcome::array, 0, array.shape.size(), array.values.size()};
    send(pipe, &head, sizeof head);
    send(pipe, array.shape.data(), array.shape.size() * sizeof(Index));
    send(pipe, array.values.data(), array.values.size() * sizeof(Real));
  } catch (const InputError& error) {
    send_text(pipe, Outcome::input_error, error.what());
  } catch (const std::bad_alloc&) {
    send_text(pipe, Outcome::out_of_memory, {});
  } catch (const std::exception& error) {
    send_text(pipe, Outcome::internal_error, error.what());
  }
  _exit(0);
}

/// The parent's ends of pipe and child; a child whose result is given up on ends at its next write.
struct Child {
  pid_t id = -1;
  int pipe = -1;
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pipe >= 0) close(pipe);
    while (id > 0 && waitpid(id, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
};

}  // namespace

Array read_apart(const std::string& where, const std::function<Array()>& work) {
  std::array<int, 2> ends{-1, -1};
  if (in_child || pipe(ends.data()) != 0) return work();
  Child child;
  child.pipe = ends[0];
  child.id = fork();
  if (child.id == 0) run_child(ends[1], work);
  close(ends[1]);
  if (child.id < 0) return work();

  const auto all = [&](void* data, std::size_t bytes) {
    require(receive(child.pipe, data, bytes), where, "damaged: the library that reads such files crashes at it",
            "get the file anew, or write it again");
  };
  Head head;
  all(&head, sizeof head);
  if (head.outcome == Outcome::out_of_memory) throw std::bad_alloc();
  if (head.outcome != Outcome::array) {
    std::string text(head.text_bytes, '\0');
    all(text.data(), text.size());
    if (head.outcome == Outcome::input_error) throw InputError(text);
    throw std::runtime_error(text);
  }
  Array array{std::vector<Index>(head.axes), std::vector<Real>(head.values)};
  all(array.shape.data(), array.shape.size() * sizeof(Index));
  all(array.values.data(), array.values.size() * sizeof(Real));
  return array;
}

}  // namespace hpot
