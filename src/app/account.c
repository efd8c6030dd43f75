#include <errno.h>
#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lodebase/app/account.h"

#define PROBLEM(...) snprintf(problem, APP_PROBLEM_SIZE, __VA_ARGS__)

/* Creates a directory and the ones above it; *ret_made says whether the last one is new. */
static enum err make_directories(const char *path, bool *ret_made, char problem[APP_PROBLEM_SIZE])
{
	char *partial = strdup(path);
	*ret_made = false;
	if (!partial)
		return ERR_NOMEM;
	for (char *slash = partial + 1;; slash++) {
		slash = strchrnul(slash, '/');
		bool last = *slash == '\0';
		*slash = '\0';
		if (mkdir(partial, last ? 0700 : 0755) == 0) {
			*ret_made = last;
		} else if (errno != EEXIST) {
			PROBLEM("cannot create the data directory %s: %s: %s", path, partial, strerror(errno));
			free(partial);
			return ERR_IO;
		}
		if (last)
			break;
		*slash = '/';
	}
	free(partial);
	return OK;
}

static bool is_empty_directory(const char *path)
{
	DIR *d = opendir(path);
	bool empty = d != NULL;
	for (struct dirent *e; d && empty && (e = readdir(d));)
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (d)
		closedir(d);
	return empty;
}

static enum err become(const struct passwd *account)
{
	if (initgroups(account->pw_name, account->pw_gid) != 0 || setgid(account->pw_gid) != 0 || setuid(account->pw_uid) != 0)
		return ERR_DENIED;
	return setuid(0) == 0 ? ERR_STATE : OK; /* there must be no way back */
}

/* Whether the account gets into the directory, tried in a child: a path below /root would only fail later, and less clearly. */
static bool can_enter(const struct passwd *account, const char *path)
{
	pid_t child = fork();
	if (child < 0)
		return false;
	if (child == 0)
		_exit(become(account) == OK && chdir(path) == 0 && access(path, R_OK | W_OK | X_OK) == 0 ? 0 : 1);
	int status = 1;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return status == 0;
}

static const struct passwd *find_account(const struct config *c, const struct stat *data_dir, char problem[APP_PROBLEM_SIZE])
{
	static const char *const usual[] = { "lodebase", "postgres", "nobody" };
	const struct passwd *account = NULL;
	if (c->run_user) {
		account = getpwnam(c->run_user);
		if (!account)
			PROBLEM("--user: there is no account \"%s\" on this system", c->run_user);
	} else if (data_dir && data_dir->st_uid != 0) {
		account = getpwuid(data_dir->st_uid);
		if (!account)
			PROBLEM("the data directory %s belongs to user id %u, which has no account on this system", c->data_dir,
				(unsigned)data_dir->st_uid);
	} else {
		for (size_t i = 0; !account && i < sizeof(usual) / sizeof(usual[0]); i++)
			account = getpwnam(usual[i]);
		if (!account)
			PROBLEM("started as root, and there is none of the accounts lodebase, postgres, nobody to run on: "
				"name one with --user");
	}
	if (account && account->pw_uid == 0) {
		PROBLEM("the program does not run as root: name another account with --user");
		return NULL;
	}
	return account;
}

/* Root gives the directory to the account. */
static enum err hand_over(const struct config *c, const struct passwd *account, bool made, char problem[APP_PROBLEM_SIZE])
{
	struct stat st;
	if (stat(c->data_dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
		PROBLEM("the data directory %s is no directory", c->data_dir);
		return ERR_INVALID;
	}
	if (st.st_uid != account->pw_uid) {
		if (!is_empty_directory(c->data_dir)) {
			const struct passwd *owner = getpwuid(st.st_uid);
			char owner_name[64];
			snprintf(owner_name, sizeof(owner_name), "%s", owner ? owner->pw_name : "another account");
			PROBLEM("the data directory %s belongs to %s and is not empty: give it to the account the service runs "
				"on "
				"(chown -R), or name another with --data-dir",
				c->data_dir, owner_name);
			return ERR_DENIED;
		}
		if (chown(c->data_dir, account->pw_uid, account->pw_gid) != 0 || chmod(c->data_dir, 0700) != 0) {
			PROBLEM("cannot give the data directory %s to %s: %s", c->data_dir, account->pw_name, strerror(errno));
			return ERR_IO;
		}
	}
	if (!can_enter(account, c->data_dir)) {
		PROBLEM("the account %s, which the service runs on, cannot get into the data directory %s: name one with "
			"--data-dir "
			"that it can, or another account with --user",
			account->pw_name, c->data_dir);
		if (made)
			rmdir(c->data_dir);
		return ERR_DENIED;
	}
	return OK;
}

static enum err leave_root(const struct config *c, bool wants_data_dir, bool made, char problem[APP_PROBLEM_SIZE])
{
	struct stat st;
	bool has_dir = wants_data_dir && !made && stat(c->data_dir, &st) == 0;
	const struct passwd *found = find_account(c, has_dir ? &st : NULL, problem);
	if (!found)
		return ERR_NOT_FOUND;
	char *name = strdup(found->pw_name), *home = strdup(found->pw_dir);
	struct passwd account = { .pw_name = name, .pw_uid = found->pw_uid, .pw_gid = found->pw_gid };
	enum err e = name && home ? OK : ERR_NOMEM;
	if (e == OK && wants_data_dir)
		e = hand_over(c, &account, made, problem);
	if (e == OK && (e = become(&account)) != OK)
		PROBLEM("cannot become the account %s: %s", name, strerror(errno));
	if (e == OK) {
		setenv("HOME", home, 1);
		setenv("USER", name, 1);
		setenv("LOGNAME", name, 1);
		unsetenv("XDG_RUNTIME_DIR"); /* root's */
#ifdef __SANITIZE_ADDRESS__
		/* A process that changed its account cannot be traced, and the leak check at the end traces. */
		prctl(PR_SET_DUMPABLE, 1);
#endif
	}
	free(name);
	free(home);
	return e;
}

enum err account_settle(const struct config *c, bool wants_data_dir, bool create, char problem[APP_PROBLEM_SIZE])
{
	struct stat st;
	bool made = false;
	problem[0] = '\0';
	if (wants_data_dir && create) {
		enum err e = make_directories(c->data_dir, &made, problem);
		if (e != OK)
			return e;
	} else if (wants_data_dir && stat(c->data_dir, &st) != 0) {
		PROBLEM("there is no base yet: %s: %s. `lodebase serve` makes one; --data-dir and --database name another",
			c->data_dir, strerror(errno));
		return ERR_NOT_FOUND;
	}
	if (geteuid() == 0)
		return leave_root(c, wants_data_dir, made, problem);
	if (wants_data_dir && access(c->data_dir, R_OK | W_OK | X_OK) != 0) {
		const char *reason = strerror(errno);
		const struct passwd *owner = stat(c->data_dir, &st) == 0 ? getpwuid(st.st_uid) : NULL;
		PROBLEM("the data directory %s cannot be used: %s. It belongs to %s: run this as that account, or name another "
			"with --data-dir",
			c->data_dir, reason, owner ? owner->pw_name : "somebody else");
		return ERR_DENIED;
	}
	return OK;
}
