# shellcheck shell=bash
# Sourced by test-container.sh; see scripts/lib/image-parts.sh.

includes_polyglot() { printf '%s\n' python js go rust; }

# shellcheck disable=SC2016 # expanded inside the container
checks_polyglot() {
  versions << 'EOF'
java      | java --version      | ^openjdk 21\.
javac     | javac --version     | ^javac 21\.
maven     | mvn --version       | Apache Maven 3\.9\.
ruby      | ruby --version      | ^ruby 3\.3\.
gem       | gem --version       | ^3\.
bundler   | bundle --version    | ^Bundler version 2\.
rake      | rake --version      | version 13\.
php       | php --version       | ^PHP 8\.4\.
composer  | composer --version  | Composer version 2\.
EOF
  check "Java is compiled, packed and run" without_network '
    printf "public class App { public static void main(String[] a) { System.out.println(java.util.stream.IntStream.of(6, 7).reduce(1, (x, y) -> x * y)); } }\n" > App.java &&
    javac App.java && jar --create --file app.jar --main-class App App.class && [ "$(java -jar app.jar)" = 42 ]'
  check "JAVA_HOME is where Java is" tool_answers '[ -x "${JAVA_HOME}/bin/javac" ]'
  check "Maven reads a project without a network" without_network '
    printf "<project><modelVersion>4.0.0</modelVersion><groupId>example</groupId><artifactId>app</artifactId><version>1</version></project>" > pom.xml &&
    mvn --offline --batch-mode validate'
  check "Ruby runs, a gem is built and installed for the developer" without_network '
    [ "$(ruby -rjson -ryaml -ropenssl -e "puts JSON.generate(6 * 7)")" = 42 ] && mkdir -p bin && printf "#!/usr/bin/env ruby\nputs 42\n" > bin/gem-app && chmod +x bin/gem-app &&
    printf "Gem::Specification.new { |s| s.name = %%q(gem-app); s.version = %%q(1); s.summary = %%q(x); s.authors = [%%q(x)]; s.files = [%%q(bin/gem-app)]; s.executables = [%%q(gem-app)] }\n" > a.gemspec &&
    gem build --silent a.gemspec && gem install --local --silent gem-app-1.gem && [ "$(gem-app)" = 42 ] && [ "$(command -v gem-app)" = ~/.local/bin/gem-app ] && gem uninstall --silent --executables gem-app'
  check "Bundler works without a network" without_network 'printf "source \"https://rubygems.org\"\n" > Gemfile && bundle install --local && bundle exec ruby -e 1'
  check "a Ruby extension in C is compiled" without_network '
    printf "require \"mkmf\"\ncreate_makefile(\"fast\")\n" > extconf.rb && printf "#include <ruby.h>\nvoid Init_fast(void) { rb_define_global_const(\"FAST\", INT2FIX(42)); }\n" > fast.c &&
    ruby extconf.rb && make && [ "$(ruby -I. -rfast -e "puts FAST")" = 42 ]'
  check "PHP runs with its extensions" without_network '
    [ "$(php -r "echo 6 * 7;")" = 42 ] && for extension in curl mbstring pdo_sqlite simplexml zip openssl; do php -m | grep -qix "${extension}" || exit 1; done'
  check "PHP keeps sessions" without_network '
    [ "$(php -r "session_start(); \$_SESSION[PHP_OS] = 42; session_write_close(); session_start(); echo \$_SESSION[PHP_OS];")" = 42 ]'
  check "Composer makes a project without a network" without_network 'composer init --no-interaction --name example/app && composer validate --no-check-publish && COMPOSER_DISABLE_NETWORK=1 composer install --no-interaction'
}
