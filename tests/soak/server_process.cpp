#include "server_process.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace atm::soak {

namespace {

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "soak: %s\n", why.c_str());
  std::exit(1);
}

// The first of two ports in a row that nobody has, of UDP and of TCP: a worker each.
uint16_t free_ports() {
  for (uint32_t port = 31'000 + static_cast<uint32_t>(getpid()) % 1'000 * 20; port < 60'000; port += 2) {
    bool is_free = true;
    for (uint32_t i = 0; i < 4; ++i) {
      const int fd = socket(AF_INET, (i < 2 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(static_cast<uint16_t>(port + i % 2));
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      is_free &= bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      close(fd);
    }
    if (is_free) return static_cast<uint16_t>(port);
  }
  give_up("no free media ports");
}

}  // namespace

ServerProcess::ServerProcess(const std::string& program, const std::string& secret,
                             const std::vector<std::string>& flags, std::optional<size_t> core)
    : media_port_(free_ports()),
      line_{program,       "--http", "127.0.0.1:0", "--secret", secret, "--media-port", std::to_string(media_port_),
            "--log-level", "warn"} {
  if (std::find(flags.begin(), flags.end(), "--media-ip") == flags.end()) {
    line_.insert(line_.end(), {"--media-ip", "127.0.0.1"});
  }
  line_.insert(line_.end(), flags.begin(), flags.end());
  start(core);
}

void ServerProcess::start(const std::optional<size_t>& core) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) give_up("no pipe");
  std::vector<char*> arguments;
  for (std::string& argument : line_) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // it never outlives us, however we end
    dup2(ends[1], STDOUT_FILENO);
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (core) CPU_SET(*core, &cores);
    if (core && sched_setaffinity(0, sizeof cores, &cores) != 0) _exit(126);
    execv(line_[0].c_str(), arguments.data());
    _exit(127);
  }
  close(ends[1]);
  output_ = fdopen(ends[0], "r");
  char said[4'096];
  while (std::fgets(said, sizeof said, output_) != nullptr) {
    const std::string text = said;
    if (!text.starts_with("ready {")) continue;
    const std::string address = nlohmann::json::parse(text.substr(6)).at("http");
    host_ = address.substr(0, address.rfind(':'));
    port_ = address.substr(address.rfind(':') + 1);
    return;
  }
  give_up(line_[0] + " did not get ready");
}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) kill(pid_, SIGKILL);
  if (output_ != nullptr) std::fclose(output_);
}

std::string ServerProcess::request(const std::string& method, const std::string& path, const std::string& body,
                                   const std::string& bearer) {
  namespace http = boost::beast::http;
  boost::asio::io_context context;
  boost::beast::tcp_stream stream(context);
  boost::system::error_code error;
  stream.connect(boost::asio::ip::tcp::resolver(context).resolve(host_, port_), error);
  http::request<http::string_body> request(http::string_to_verb(method), path, 11);
  request.set(http::field::host, host_);
  request.set(http::field::content_type, "application/json");
  if (!bearer.empty()) request.set(http::field::authorization, "Bearer " + bearer);
  request.set(http::field::connection, "close");
  request.body() = body;
  request.prepare_payload();
  if (!error) http::write(stream, request, error);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  if (!error) http::read(stream, buffer, response, error);
  return error ? std::string() : response.body();
}

double ServerProcess::metric(const std::string& name) {
  std::istringstream page(request("GET", "/metrics", ""));
  double sum = 0;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(name + ' ') || line.starts_with(name + '{'))
      sum += std::stod(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

uint64_t ServerProcess::resident_bytes() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

size_t ServerProcess::descriptors() const {
  size_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/" + std::to_string(pid_) + "/fd", error), end; at != end;
       at.increment(error)) {
    ++count;
  }
  return count;
}

double ServerProcess::cpu_seconds() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream fields(text.substr(text.rfind(')') + 2));  // the name may hold spaces
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

uint64_t ServerProcess::cpu_ns() const {
  uint64_t sum = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/" + std::to_string(pid_) + "/task", error), end; at != end;
       at.increment(error)) {
    std::ifstream file(at->path() / "schedstat");
    uint64_t ran = 0;
    file >> ran;
    sum += ran;
  }
  return sum;
}

int ServerProcess::stop() {
  kill(pid_, SIGTERM);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void ServerProcess::kill_hard() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void ServerProcess::start_again() {
  std::fclose(output_);
  line_[2] = host_ + ":" + port_;
  start(std::nullopt);
}

}  // namespace atm::soak
